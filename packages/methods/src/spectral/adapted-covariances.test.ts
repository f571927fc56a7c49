import { describe, expect, it } from 'vitest'
import { defineMethod } from '../declare/define-method.ts'
import { mergeArrays } from '../merge-arrays.ts'
import { type AdaptedCovariances, adaptCovariances } from './adapted-covariances.ts'

const matrix = (...values: readonly number[]) => ({ rows: 2, columns: 2, values: Float64Array.from(values) })
const grams = [matrix(2, 1, 1, 3), matrix(4, 0, 0, 1)]

/** Of matrices in memory, with what methods get for that. */
async function adapt(given: typeof grams, traces: readonly number[], eps = 0.1): Promise<AdaptedCovariances> {
  let adapted: AdaptedCovariances | undefined
  const method = defineMethod({
    name: 'covariances',
    summary: '',
    base: 'none',
    models: { min: 1 },
    parameters: { perModel: {}, methodWide: {} },
    async merge({ models }, _parameters, context) {
      adapted = await adaptCovariances(given, traces, eps, context)
      return models[0]!
    },
  })
  await mergeArrays(method, { models: [Float32Array.of(1)] })
  return adapted!
}

describe('adapted covariances', () => {
  // Logarithms a and b have γ = 2·(a − b)² / (a + b)².
  const tracesOf = (gamma: number) => {
    const ratio = Math.sqrt(gamma / 2)
    return [Math.exp(2 + 2 * ratio), Math.exp(2 - 2 * ratio)]
  }

  it('differ much from γ = 0.3 on', async () => {
    expect((await adapt(grams, tracesOf(0.29))).differing).toBeUndefined()
    expect((await adapt(grams, tracesOf(0.31))).differing).toHaveLength(2)
    expect((await adapt(grams, tracesOf(0.31).toReversed())).differing).toHaveLength(2)
    expect((await adapt(grams.slice(1), [1e9])).differing).toBeUndefined()
  })

  it('are divided by a sum with the mean row added to each of its rows, and eps for each model to its diagonal', async () => {
    const { turns } = await adapt(grams, [1, 1], 0.1)
    // S = ΣΣᵢ + 2ε·1, c = its mean row without ε; a turn times (S + 1·cᵀ) is Σᵢ + ε·1.
    const divisor = [6.2 + 3.5, 1 + 2.5, 1 + 3.5, 4.2 + 2.5]
    turns.forEach(({ values: [a, b, c, d] }, model) => {
      const back = [
        a! * divisor[0]! + b! * divisor[2]!,
        a! * divisor[1]! + b! * divisor[3]!,
        c! * divisor[0]! + d! * divisor[2]!,
        c! * divisor[1]! + d! * divisor[3]!,
      ]
      const expected = grams[model]!.values.map((value, i) => value + (i % 3 === 0 ? 0.1 : 0))
      back.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
    })
  })

  it('are divided by their traces where they differ much, and the mean row by the mean trace', async () => {
    const traces = [100, 1.5]
    const { turns, differing } = await adapt(grams, traces, 0.1)
    const scaled = grams.map(({ values }) => values.map((value) => value / 5))
    const added = 0.1 / 5
    const sum = scaled[0]!.map((value, i) => value + scaled[1]![i]! + (i % 3 === 0 ? 2 * added : 0))
    const mean = [3.5, 2.5].map((value) => value / 5 / 50.75)
    const divisor = sum.map((value, i) => value + mean[i % 2]!)
    turns.forEach(({ values: [a, b] }, model) => {
      expect(a! * divisor[0]! + b! * divisor[2]!).toBeCloseTo(scaled[model]![0]! + added, 6)
      expect(a! * divisor[1]! + b! * divisor[3]!).toBeCloseTo(scaled[model]![1]!, 6)
    })
    differing!.forEach(({ values }, model) =>
      values.forEach((value, i) => expect(value).toBeCloseTo(scaled[model]![i]! - sum[i]! / 2, 6)),
    )
  })
})
