import { describe, expect, it } from 'vitest'
import { expectClose, noise, tuned } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'

const { base, models } = tuned(600, 2)
const ones = base.map(() => 1)
const weight = [0.5, 1.5]

describe('masked_task_arithmetic', () => {
  it('with ones is task arithmetic, with zeros the base', async () => {
    expect(
      await mergeArrays('masked_task_arithmetic', { base, models, parameters: { mask: ones, weight, lambda: 0.5 } }),
    ).toEqual(await mergeArrays('task_arithmetic', { base, models, parameters: { weight, lambda: 0.5 } }))
    const mask = ones.map(() => 0)
    expect(await mergeArrays('masked_task_arithmetic', { base, models, parameters: { mask } })).toEqual(base)
  })

  it('multiplies each element of each change with its own factor', async () => {
    const mask = models.map((_, i) => noise(600, i + 7))
    const expected = [...base].map((each, i) =>
      models.reduce((sum, model, m) => sum + weight[m]! * mask[m]![i]! * (model[i]! - each), each),
    )
    expectClose(await mergeArrays('masked_task_arithmetic', { base, models, parameters: { mask, weight } }), expected)
  })

  it('takes each element from the model whose mask has it', async () => {
    const mask = [ones.map((_, i) => i % 2), ones.map((_, i) => (i + 1) % 2)]
    expectClose(
      await mergeArrays('masked_task_arithmetic', { base, models, parameters: { mask } }),
      base.map((_, i) => models[(i + 1) % 2]![i]!),
    )
  })

  it('leaves NaN of a mask and of a model where they are, and nowhere else', async () => {
    const [model] = models as [Float32Array]
    const broken = model.map((value, i) => (i === 7 ? Number.NaN : value))
    const mask = ones.map((value, i) => (i === 9 ? Number.NaN : value))
    const merged = await mergeArrays('masked_task_arithmetic', { base, models: [broken], parameters: { mask } })
    expect([...merged.keys()].filter((i) => !Number.isFinite(merged[i]))).toEqual([7, 9])
  })
})
