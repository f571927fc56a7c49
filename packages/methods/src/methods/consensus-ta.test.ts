import { describe, expect, it } from 'vitest'
import { expectClose, tuned } from '../__fixtures__/arrays.ts'
import { cases } from '../__fixtures__/elementwise.ts'
import { mergeArrays } from '../merge-arrays.ts'

const { base, models } = tuned(600, 3)
const quiet = { warn: () => {} }

describe('consensus_ta', () => {
  it.each([
    ['consensus', { tall_mask_lambda: 0.4, k: 2 }],
    ['consensusWeighted', { weight: [0.5, 0.25, 1], tall_mask_lambda: 0.8, k: 1 }],
  ] as const)('is what numpy makes of the formula of the paper: %s', async (name, parameters) => {
    for (const { base, models, expected } of cases(name))
      expectClose(await mergeArrays('consensus_ta', { base, models, parameters }), expected)
  })

  it('is task arithmetic where k is 0', async () => {
    expect(await mergeArrays('consensus_ta', { base, models, parameters: { weight: 0.5, k: 0 } })).toEqual(
      await mergeArrays('task_arithmetic', { base, models, parameters: { weight: 0.5 } }),
    )
  })

  it('keeps what only one model changes where k is 1, and drops it where k is 2', async () => {
    const one = Float32Array.of(2, 1)
    const other = Float32Array.of(1, 1)
    const request = { base: Float32Array.of(1, 1), models: [one, other] }
    // The model that changes nothing counts by nothing, so that zeros are in nobody's way.
    expect(await mergeArrays('consensus_ta', { ...request, parameters: { k: 1 } })).toEqual(one)
    expect(await mergeArrays('consensus_ta', { ...request, parameters: { k: 2 } })).toEqual(request.base)
  })

  it('keeps equal changes as long as those of the others are not too many for λ', async () => {
    const twice = Float32Array.of(3)
    const of = (count: number) =>
      mergeArrays('consensus_ta', {
        base: Float32Array.of(1),
        models: Array.from({ length: count }, () => twice),
        parameters: { tall_mask_lambda: 0.4, weight: 1 / count },
      })
    // 0.4 · 2 others ≤ 1, and 0.4 · 3 > 1.
    expect(await of(3)).toEqual(twice)
    expect(await of(4)).toEqual(Float32Array.of(1))
  })

  it('does not depend on the order of the models', async () => {
    expectClose(
      await mergeArrays('consensus_ta', { base, models: models.toReversed() }),
      await mergeArrays('consensus_ta', { base, models }),
    )
  })

  it('of one model is the model where k is 1, and the base where more have to agree than there are, which it says', async () => {
    const [model] = models as [Float32Array]
    expectClose(await mergeArrays('consensus_ta', { base, models: [model], parameters: { k: 1 } }), model)
    const warnings: string[] = []
    const warn = (text: string) => warnings.push(text)
    await mergeArrays('consensus_ta', { base, models: models.slice(0, 2), parameters: { k: 2 }, warn })
    expect(warnings).toEqual([])
    expect(await mergeArrays('consensus_ta', { base, models: [model], warn })).toEqual(base)
    expect(warnings).toEqual(['k 2 is more than there are models (1), so no change stays: the output is the base'])
  })

  it('of models that equal the base is the base', async () => {
    expect(await mergeArrays('consensus_ta', { base, models: [base, base] })).toEqual(base)
  })

  it('leaves NaN where it is, and nowhere else', async () => {
    const broken = models[0]!.map((value, i) => (i === 7 ? Number.NaN : value))
    const merged = await mergeArrays('consensus_ta', { base, models: [broken, models[1]!], ...quiet })
    expect(merged[7]).toBeNaN()
    expect(merged.filter(Number.isNaN).length).toBe(1)
  })
})
