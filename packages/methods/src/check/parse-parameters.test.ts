import { describe, expect, it } from 'vitest'
import { builtinMethods } from '../builtin-methods.ts'
import { z } from 'zod'
import { checkParameterName, parseParameters } from './parse-parameters.ts'

const ties = builtinMethods.get('ties')!

describe('parseParameters', () => {
  it('fills in defaults and gives per-model parameters as arrays', () => {
    expect(
      parseParameters(ties, { perModel: [{ weight: 1 }, { weight: 0.5, density: 0.2 }], methodWide: { lambda: 2 } }),
    ).toEqual({
      weight: [1, 0.5],
      density: [1, 0.2],
      normalize: true,
      rescale: false,
      lambda: 2,
      lines_alpha: 1,
      lines_beta: 0,
      consensus_method: 'sum',
      int8_mask: false,
    })
  })

  it('reads 0 and 1 as booleans', () => {
    expect(parseParameters(ties, { perModel: [], methodWide: { normalize: 0, rescale: 1 } })).toMatchObject({
      normalize: false,
      rescale: true,
    })
  })

  it('looks up per-model parameters in the models only, others method-wide only', () => {
    const given = { perModel: [{ weight: 1, lambda: 7 }], methodWide: { density: 0.5 } }
    expect(parseParameters(ties, given)).toMatchObject({ density: [1], lambda: 1 })
  })

  it('names a required parameter that is not set, and the model', () => {
    expect(() => parseParameters(ties, { perModel: [{ weight: 1 }, {}], methodWide: {} })).toThrow(
      expect.objectContaining({ issue: { code: 'missing-parameter', method: 'ties', parameter: 'weight', model: 1 } }),
    )
    expect(() => parseParameters(ties, { perModel: [{ weight: 1 }, {}], methodWide: {} })).toThrow(
      "ties needs the parameter 'weight' of model 2, which is not set",
    )
  })

  it.each([
    [{ weight: 'heavy' }, {}, 'weight', 0],
    [{ weight: Infinity }, {}, 'weight', 0],
    [{ weight: 1, density: -0.1 }, {}, 'density', 0],
    [{ weight: 1 }, { normalize: 0.5 }, 'normalize', undefined],
    [{ weight: 1 }, { lambda: true }, 'lambda', undefined],
    [{ weight: 1 }, { consensus_method: 'vote' }, 'consensus_method', undefined],
  ])('refuses %j with %j', (model, methodWide, parameter, index) => {
    const issue = { code: 'invalid-parameter', method: 'ties', parameter, ...(index !== undefined && { model: index }) }
    expect(() => parseParameters(ties, { perModel: [model], methodWide })).toThrow(
      expect.objectContaining({ issue: expect.objectContaining(issue) }),
    )
  })

  it('says what is wrong with a value', () => {
    expect(() => parseParameters(ties, { perModel: [{ weight: 1, density: -0.1 }], methodWide: {} })).toThrow(
      "the parameter 'density' of model 1 of ties is -0.1, expected a number of at least 0",
    )
  })

  it('asks where a value was written only where it is wrong, and says so', () => {
    const asked: unknown[] = []
    const placeOf = (parameter: string, model: number | undefined) => {
      asked.push([parameter, model])
      return { where: 'recipe.yml:3:5', tensor: 'a.weight', modelName: 'org/b', hint: 'write it somewhere' }
    }
    expect(() => parseParameters(ties, { perModel: [{ weight: 1 }, {}], methodWide: {} }, placeOf)).toThrow(
      "recipe.yml:3:5: ties needs the parameter 'weight' of model org/b for tensor a.weight, which is not set; write it somewhere",
    )
    expect(asked).toEqual([['weight', 1]])
  })

  it('leaves undefined what may be absent and has no default', () => {
    const own = { name: 'own', parameters: { perModel: {}, methodWide: { p: z.number().optional() } } }
    expect(parseParameters(own, { perModel: [], methodWide: {} })).toEqual({ p: undefined })
  })
})

describe('checkParameterName', () => {
  it('takes the names of the method and those that the caller takes', () => {
    expect(() => checkParameterName(ties, 'density')).not.toThrow()
    expect(() => checkParameterName(ties, 'lambda')).not.toThrow()
    expect(() => checkParameterName(ties, 'embed_slerp', { others: ['embed_slerp'] })).not.toThrow()
  })

  it('gives the nearest spelling, of the own names first, or all names', () => {
    expect(() => checkParameterName(ties, 'wieght', { others: ['height'], where: 'recipe.yml:4:1' })).toThrow(
      "recipe.yml:4:1: ties has no parameter 'wieght'; did you mean 'weight'?",
    )
    expect(() => checkParameterName(ties, 'embed-slrep', { others: ['embed_slerp'] })).toThrow(
      expect.objectContaining({ issue: expect.objectContaining({ nearest: 'embed_slerp' }) }),
    )
    expect(() => checkParameterName(builtinMethods.get('model_stock')!, 'temperature')).toThrow(
      "model_stock has no parameter 'temperature'; it has filter_wise",
    )
    expect(() => checkParameterName(builtinMethods.get('arcee_fusion')!, 'temperature')).toThrow('it has none')
  })
})
