import { describe, expect, it } from 'vitest'
import { expectClose, tuned } from '../__fixtures__/arrays.ts'
import { elementwise } from '../__fixtures__/elementwise.ts'
import { builtinMethods } from '../builtin-methods.ts'
import { mergeArrays } from '../merge-arrays.ts'
import { checkParameterValue, parseParameters } from './parse-parameters.ts'
import { weightsByNorm } from './weight-rules.ts'

const { base, models } = tuned(600, 3)
const nameOf = (model: number) => `model ${model + 1}`
const all = (model: readonly (readonly number[])[]) => Float32Array.from(model.flat())
const whole = { base: all(elementwise.base), models: elementwise.models.map(all) }
const taking = [...builtinMethods.values()].filter(({ parameters: { perModel } }) => 'weight' in perModel)

describe('weights by norm', () => {
  it.each([
    ['metagpt', elementwise.metagptWeights],
    ['inverse_norm', elementwise.inverseNormWeights],
  ] as const)('%s: are what numpy makes of the formula of the paper', async (rule, expected) => {
    const weighed = await mergeArrays('task_arithmetic', { ...whole, parameters: { weight: rule } })
    expectClose(weighed, await mergeArrays('task_arithmetic', { ...whole, parameters: { weight: [...expected] } }))
  })

  it('sum to 1, follow the models, and don’t depend on a common factor', () => {
    for (const rule of ['metagpt', 'inverse_norm'] as const) {
      const weights = weightsByNorm(rule, [1, 4, 9], nameOf)
      expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12)
      expect(weightsByNorm(rule, [9, 4, 1], nameOf)).toEqual(weights.toReversed())
      weightsByNorm(rule, [100, 400, 900], nameOf).forEach((weight, i) => expect(weight).toBeCloseTo(weights[i]!, 12))
      expect(weightsByNorm(rule, [7], nameOf)).toEqual([1])
      expect(weightsByNorm(rule, [5, 5], nameOf)).toEqual([0.5, 0.5])
    }
    expect(weightsByNorm('metagpt', [1, 3], nameOf)).toEqual([0.25, 0.75])
    expect(weightsByNorm('inverse_norm', [1, 9], nameOf)).toEqual([0.75, 0.25])
  })

  it('are equal by metagpt where no model differs from the base, and refused by inverse_norm where one is 0', async () => {
    expect(weightsByNorm('metagpt', [0, 0], nameOf)).toEqual([0.5, 0.5])
    expect(await mergeArrays('ties', { base, models: [base, base], parameters: { weight: 'metagpt' } })).toEqual(base)
    expect(() => weightsByNorm('inverse_norm', [1, 0, 0], nameOf)).toThrow('model 2')
    const nothing = new Float32Array(600)
    await expect(
      mergeArrays('linear', { models: [models[0]!, nothing], parameters: { weight: 'inverse_norm' } }),
    ).rejects.toMatchObject({ issue: { code: 'norm-zero', name: 'model 2' } })
  })

  it('are refused where a norm is not finite', async () => {
    const broken = models[1]!.map((value, i) => (i === 3 ? Number.NaN : value))
    const merging = mergeArrays('task_arithmetic', {
      base,
      models: [models[0]!, broken],
      parameters: { weight: 'metagpt' },
    })
    await expect(merging).rejects.toMatchObject({
      issue: { code: 'not-finite', model: 1, name: 'model 2 or the base' },
    })
  })

  it('are refused for some models only, and by metagpt without a base', async () => {
    await expect(
      mergeArrays('task_arithmetic', { base, models: models.slice(0, 2), parameters: { weight: ['metagpt', 0.5] } }),
    ).rejects.toMatchObject({ issue: { code: 'weights-by-norm', problem: 'mixed' } })
    await expect(mergeArrays('linear', { models, parameters: { weight: 'metagpt' } })).rejects.toThrow(
      "tensor: 'weight' is metagpt, which goes by the differences from a base model, and linear has none; name one as base_model with a method that uses it, or write inverse_norm",
    )
  })

  it('are a value of every weight of a model, and of nothing else', () => {
    expect(taking.length).toBeGreaterThan(10)
    for (const method of taking) checkParameterValue(method, 'weight', 'inverse_norm')
    const density = { perModel: [{ weight: 1, density: 'metagpt' }], methodWide: {} }
    expect(() => parseParameters(builtinMethods.get('ties')!, density)).toThrow(
      /the parameter 'density'.*is 'metagpt', expected a number of at least 0/,
    )
    const heavy = { perModel: [{ weight: 'nan' }], methodWide: {} }
    expect(() => parseParameters(builtinMethods.get('ties')!, heavy)).toThrow(
      'expected a number, metagpt or inverse_norm',
    )
  })
})
