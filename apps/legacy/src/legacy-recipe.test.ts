import { builtinMethods } from '@mk/methods'
import { describe, expect, it } from 'vitest'
import { parseConfig, stringifyYaml } from '@mk/config'
import { type LegacyArguments, legacyRecipe } from './legacy-recipe.ts'

const two = { merge: ['a', 'b'], weight: [], density: [] }
const recipe = ({ method = 'ties', ...given }: Partial<LegacyArguments> = {}) =>
  legacyRecipe(
    { ...two, method, ...(method === 'linear' ? {} : { baseModel: 'base' }), ...given },
    builtinMethods.get(method)!,
  )

describe('legacyRecipe', () => {
  it('gives each model its weight and density, in order', () => {
    expect(recipe({ weight: [0.3, 0.5], density: [0.4, 0.6] })).toEqual({
      merge_method: 'ties',
      base_model: 'base',
      models: [
        { model: 'a', parameters: { weight: 0.3, density: 0.4 } },
        { model: 'b', parameters: { weight: 0.5, density: 0.6 } },
      ],
      parameters: { normalize: true },
    })
  })

  it('takes one weight or density for all', () => {
    expect(recipe({ weight: [0.3], density: [0.4] }).models).toEqual(
      ['a', 'b'].map((model) => ({ model, parameters: { weight: 0.3, density: 0.4 } })),
    )
  })

  it('gives each model weight 1, and leaves density to the method', () => {
    expect(recipe().models).toEqual(['a', 'b'].map((model) => ({ model, parameters: { weight: 1 } })))
  })

  it('translates the flags', () => {
    expect(recipe({ normalize: false, int8Mask: true, naiveCount: true, bf16: true })).toMatchObject({
      parameters: { normalize: false, int8_mask: true, consensus_method: 'count' },
      dtype: 'bfloat16',
    })
  })

  it('normalizes by every method that can, unless told not to', () => {
    expect(recipe({ method: 'task_arithmetic' })).toMatchObject({ parameters: { normalize: true } })
    expect(recipe({ method: 'task_arithmetic', normalize: false })).toMatchObject({ parameters: { normalize: false } })
  })

  it('keeps the base model of a method without one: it donates config and tokenizer', () => {
    expect(recipe({ method: 'linear', baseModel: 'base' })).toMatchObject({
      base_model: 'base',
      models: [{ model: 'a' }, { model: 'b' }],
    })
  })

  it('writes the one weight of slerp as t', () => {
    expect(recipe({ method: 'slerp', merge: ['a'], weight: [0.3] })).toEqual({
      merge_method: 'slerp',
      base_model: 'base',
      models: [{ model: 'a' }],
      parameters: { t: 0.3 },
    })
  })

  it('takes the base among the models for the base', () => {
    expect(recipe({ method: 'slerp', merge: ['base/', 'a'], weight: [0.3] }).models).toEqual([
      { model: 'base/' },
      { model: 'a' },
    ])
  })

  it('writes no weight for a method that has none, unless it is given', () => {
    expect(recipe({ method: 'model_stock' }).models).toEqual([{ model: 'a' }, { model: 'b' }])
    expect(recipe({ method: 'model_stock', weight: [2] }).models).toMatchObject([
      { parameters: { weight: 2 } },
      { parameters: { weight: 2 } },
    ])
  })

  it('is a configuration for every method', () => {
    for (const method of builtinMethods.keys()) {
      const { max = 2 } = builtinMethods.get(method)!.models
      const given = recipe({
        method,
        baseModel: 'base',
        merge: ['a', 'b'].slice(0, max),
        ...(method === 'slerp' && { weight: [0.5] }),
      })
      expect(parseConfig(stringifyYaml(given)).config.mergeMethod).toMatchObject([{ method }])
    }
  })

  it.each<[string, Partial<LegacyArguments>, string]>([
    ['no model', { merge: [] }, `no models to merge: give each one as '--merge MODEL'`],
    [
      'two weights for three models',
      { merge: ['a', 'b', 'c'], weight: [1, 2] },
      '--weight is given 2 times for 3 --merge; expected one for each model, one for all, or none',
    ],
    ['three densities for two models', { density: [1, 2, 3] }, '--density is given 3 times for 2 --merge'],
    ['no base for ties', { method: 'ties', baseModel: undefined! }, 'ties needs a --base-model'],
    [
      'slerp of two models',
      { method: 'slerp', weight: [0.5] },
      'slerp takes exactly 1 --merge besides the --base-model, found 2',
    ],
    ['slerp without a weight', { method: 'slerp', merge: ['a'] }, 'slerp takes exactly one --weight'],
    ['slerp with two weights', { method: 'slerp', merge: ['a'], weight: [0.5, 0.5] }, 'found 2'],
    ['slerp of the base alone', { method: 'slerp', merge: ['base'], weight: [0.5] }, 'found 0'],
    [
      'model_stock of one model',
      { method: 'model_stock', merge: ['a'] },
      'model_stock takes at least 2 --merge besides the --base-model, found 1',
    ],
    ['a model that is none', { merge: ['a@', 'b'] }, `'a@' is no model reference`],
  ])('refuses %s', (_, given, message) => {
    expect(() => recipe(given)).toThrow(message)
  })
})
