import { describe, expect, it } from 'vitest'
import { builtinMethods } from './builtin-methods.ts'
import { checkInputs, parseParameters } from './parameters.ts'

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
      "ties: the parameter 'density' of model 1 is -0.1: Too small: expected number to be >=0",
    )
  })
})

describe('checkInputs', () => {
  it('counts models', () => {
    const slerp = builtinMethods.get('slerp')!
    expect(() => checkInputs(slerp, { hasBase: true, modelCount: 1 })).not.toThrow()
    expect(() => checkInputs(slerp, { hasBase: true, modelCount: 2 })).toThrow(
      'slerp takes exactly 1 model (not counting a base); there are 2',
    )
    expect(() => checkInputs(slerp, { hasBase: false, modelCount: 1 })).toThrow(
      'slerp needs a base model; name one as base_model',
    )
    expect(() => checkInputs(builtinMethods.get('model_stock')!, { hasBase: true, modelCount: 1 })).toThrow(
      'at least 2 models (not counting a base); there is 1',
    )
  })
})
