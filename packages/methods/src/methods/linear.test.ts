import { describe, expect, it } from 'vitest'
import { combine, expectClose, tuned } from '../__fixtures__/arrays.ts'
import { findMethod } from '../check/find-method.ts'
import { mergeArrays } from '../merge-arrays.ts'

const { models } = tuned(1000, 3)

describe('linear', () => {
  it('is the weighted average', async () => {
    const sum = 0.7 + 0.4 + 1
    expectClose(
      await mergeArrays('linear', { models, parameters: { weight: [0.7, 0.4, 1] } }),
      combine(models, [0.7 / sum, 0.4 / sum, 1 / sum]),
    )
  })

  it('is the weighted sum without normalize', async () => {
    expectClose(
      await mergeArrays('linear', { models, parameters: { weight: [0.7, -0.4, 1], normalize: false } }),
      combine(models, [0.7, -0.4, 1]),
    )
  })

  it('does not depend on the order of the models', async () => {
    const forward = await mergeArrays('linear', { models, parameters: { weight: [0.7, 0.4, 1] } })
    expectClose(
      await mergeArrays('linear', { models: models.toReversed(), parameters: { weight: [1, 0.4, 0.7] } }),
      forward,
    )
  })

  it('gives back one model, whatever its weight', async () => {
    expect(await mergeArrays('linear', { models: [models[0]!], parameters: { weight: 0.3 } })).toEqual(models[0])
  })

  it.each([[[0, 0]], [[1, -1]], [[0.1, 0.2, -0.3]]])('refuses the weights %j, which sum to 0', async (weight) => {
    const merging = mergeArrays('linear', {
      models: models.slice(0, weight.length),
      parameters: { weight },
      tensorName: 'model.norm.weight',
    })
    await expect(merging).rejects.toMatchObject({
      issue: { code: 'weights-sum-to-zero', tensor: 'model.norm.weight', weights: weight },
    })
  })

  it('takes weights that sum to 0 without normalize', async () => {
    expect(
      await mergeArrays(findMethod('linear'), {
        models: [models[0]!, models[0]!],
        parameters: { weight: [1, -1], normalize: 0 },
      }),
    ).toEqual(new Float32Array(1000))
  })

  it('leaves NaN where it is', async () => {
    const merged = await mergeArrays('linear', {
      models: [Float32Array.of(1, NaN, 3), Float32Array.of(3, 2, 1)],
      parameters: { weight: 1 },
    })
    expect(merged).toEqual(Float32Array.of(2, NaN, 2))
  })
})
