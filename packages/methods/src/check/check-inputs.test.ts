import { describe, expect, it } from 'vitest'
import { builtinMethods } from '../builtin-methods.ts'
import { checkInputs } from './check-inputs.ts'

const check = (method: string, hasBase: boolean, modelCount: number, where?: string) => () =>
  checkInputs(builtinMethods.get(method)!, { hasBase, modelCount }, where)

describe('checkInputs', () => {
  it('asks for a base where the method needs one', () => {
    expect(check('slerp', false, 1)).toThrow('slerp needs a base model; name one as base_model')
    expect(check('slerp', false, 1, 'recipe.yml:1:1')).toThrow('recipe.yml:1:1: slerp needs a base model')
  })

  it('counts models', () => {
    expect(check('slerp', true, 1)).not.toThrow()
    expect(check('slerp', true, 2)).toThrow('slerp takes exactly 1 model besides the base model, found 2')
    expect(check('model_stock', true, 1)).toThrow('at least 2 models besides the base model, found 1')
    expect(check('nuslerp', false, 3, 'recipe.yml:1:1')).toThrow(
      'recipe.yml:1:1: nuslerp takes exactly 2 models, found 3',
    )
    expect(check('linear', false, 0)).toThrow('linear takes at least 1 model, found 0')
  })

  it('names the least and the most that a method takes', () => {
    const method = (min: number, max?: number) =>
      ({ name: 'm', base: 'none', models: { min, ...(max !== undefined && { max }) } }) as const
    const of = (min: number, max: number | undefined, modelCount: number) => () =>
      checkInputs(method(min, max), { hasBase: false, modelCount })
    for (const count of [2, 3]) expect(of(2, 3, count)).not.toThrow()
    expect(of(2, 3, 1)).toThrow('m takes 2 to 3 models, found 1')
    expect(of(2, 3, 4)).toThrow('m takes 2 to 3 models, found 4')
    expect(of(1, undefined, 1000)).not.toThrow()
    expect(of(1, 1, 2)).toThrow('m takes exactly 1 model, found 2')
    expect(of(3, undefined, 2)).toThrow('m takes at least 3 models, found 2')
  })
})
