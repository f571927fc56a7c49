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
      { ...good, parameters: { perModel: { weight: 1 }, methodWide: {} } },
      "'mine' has parameters.perModel.weight, which is no zod 4 type",
    ],
    [
      { ...good, parameters: { perModel: { t: z.number() }, methodWide: { t: z.number() } } },
      "'mine' has the parameter 't' both per model and method-wide",
    ],
  ])('%#: tells what is missing', (value, problem) => {
    expect(whyNoMethod(value)).toBe(problem)
  })
})
