import { describe, expect, it } from 'vitest'
import { expectClose, tuned } from '../__fixtures__/arrays.ts'
import { cases } from '../__fixtures__/elementwise.ts'
import { mergeArrays } from '../merge-arrays.ts'

const { base, models } = tuned(600, 3)

describe('emr', () => {
  it('is what numpy makes of the unified task vector of the paper', async () => {
    for (const { base, models, expected } of cases('emr'))
      expectClose(await mergeArrays('emr', { base, models }), expected)
  })

  it('takes the largest change that has the sign of the sum', async () => {
    const changes = (...values: number[]) => Float32Array.from(values)
    const zero = changes(0, 0, 0, 0)
    expect(
      await mergeArrays('emr', {
        base: zero,
        models: [changes(1, -5, 2, 0), changes(3, 1, -2, 0), changes(-2, 1, 0, -1)],
      }),
    ).toEqual(changes(3, -5, 0, -1))
  })

  it('of one model is that model, of equal ones theirs, of none that differs the base', async () => {
    const [model] = models as [Float32Array]
    expectClose(await mergeArrays('emr', { base, models: [model] }), model)
    expectClose(await mergeArrays('emr', { base, models: [model, model, model] }), model)
    expect(await mergeArrays('emr', { base, models: [base, base] })).toEqual(base)
  })

  it('does not depend on the order of the models', async () => {
    expectClose(
      await mergeArrays('emr', { base, models: models.toReversed() }),
      await mergeArrays('emr', { base, models }),
    )
  })

  it('leaves NaN and infinity where they are, and nowhere else', async () => {
    const broken = models[0]!.map((value, i) => (i === 7 ? Number.NaN : i === 9 ? Infinity : value))
    const merged = await mergeArrays('emr', { base, models: [broken, models[1]!] })
    expect(merged[7]).toBeNaN()
    expect(merged[9]).toBe(Infinity)
    expect(merged.filter(Number.isFinite).length).toBe(598)
  })
})
