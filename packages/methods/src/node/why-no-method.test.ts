import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { builtinMethods } from '../index.ts'
import { whyNoMethod } from './why-no-method.ts'

const good = {
  name: 'mine',
  summary: '',
  base: 'none',
  models: { min: 1 },
  parameters: { perModel: {}, methodWide: {} },
  merge: () => {},
}

describe('whyNoMethod', () => {
  it('has nothing against the built-in methods', () => {
    for (const method of builtinMethods.values()) expect(whyNoMethod(method)).toBeUndefined()
  })

  it.each([
    [null, 'it is null, not an object'],
    [{ ...good, name: 'a method' }, "its name is 'a method'; expected letters, digits and _"],
    [{ ...good, summary: undefined }, "'mine' has no summary"],
    [{ ...good, base: 'sometimes' }, "'mine' has base 'sometimes'; expected 'required', 'optional' or 'none'"],
    [{ ...good, models: 2 }, "'mine' does not say how many models it takes; expected models: { min, max? }"],
    [{ ...good, models: { min: 2, max: 1 } }, "'mine' has models.max 1"],
    [{ ...good, examples: 'none' }, "'mine' has examples 'none'; expected a list of objects of parameters"],
    [{ ...good, merge: undefined }, "'mine' has no merge function"],
    [{ ...good, parameters: undefined }, "'mine' has no parameters; expected parameters: { perModel, methodWide }"],
    [
      { ...good, parameters: { perModel: {} } },
      "'mine' has no parameters.methodWide; expected an object of zod types, which may be empty",
    ],
    [
      { ...good, parameters: { perModel: { weight: 1, density: 2 }, methodWide: {} } },
      "'mine' has parameters.perModel.weight, which is no zod 4 type",
    ],
    [
      { ...good, parameters: { perModel: { t: z.number() }, methodWide: { t: z.number() } } },
      "'mine' has the parameter 't' both per model and method-wide",
    ],
  ])('%#: tells what is missing', (value, problem) => {
    expect(whyNoMethod(value)).toBe(problem)
  })

  it.each([
    { name: 'A_1' },
    { models: { min: 0 } },
    { models: { min: 2, max: 2 } },
    { base: 'optional' },
    { base: 'required' },
    { examples: [] },
    { examples: [{}] },
    { draws: () => true },
    { parameters: { perModel: { a: z.number() }, methodWide: { b: z.number() } } },
  ])('has nothing against %j', (part) => {
    expect(whyNoMethod({ ...good, ...part })).toBeUndefined()
  })

  const half = { _zod: {} }
  it.each([
    [{ name: 7 }, 'its name is 7;'],
    [{ name: '1a' }, "its name is '1a';"],
    [{ name: 'a-b' }, "its name is 'a-b';"],
    [{ models: { min: -1 } }, 'does not say how many models it takes'],
    [{ models: { min: 0.5 } }, 'does not say how many models it takes'],
    [{ models: { min: '1' } }, 'does not say how many models it takes'],
    [{ models: {} }, 'does not say how many models it takes'],
    [{ models: { min: 1, max: 1.5 } }, 'has models.max 1.5'],
    [{ merge: 'x' }, 'has no merge function'],
    [{ parameters: { perModel: null, methodWide: {} } }, 'has no parameters.perModel;'],
    [{ parameters: { perModel: { a: half }, methodWide: {} } }, 'has parameters.perModel.a, which is no zod 4 type'],
    [
      { parameters: { perModel: {}, methodWide: { a: { safeParse: () => 1 } } } },
      'has parameters.methodWide.a, which is no zod 4 type',
    ],
    [{ parameters: { perModel: { b: z.number(), a: 1 }, methodWide: {} } }, 'has parameters.perModel.a,'],
    [{ examples: [{}, 1] }, 'has examples [{},1]; expected a list of objects'],
    [{ draws: true }, 'has draws true; expected a function of the parameters'],
    [{ base: () => 1 }, 'has base a function; expected'],
  ])('tells what is wrong with %j', (part, problem) => {
    expect(whyNoMethod({ ...good, ...part })).toContain(problem)
  })

  it('tells what is no object', () => {
    expect(whyNoMethod(undefined)).toBe('it is a undefined, not an object')
    expect(whyNoMethod(() => 1)).toBe('it is a function, not an object')
  })
})
