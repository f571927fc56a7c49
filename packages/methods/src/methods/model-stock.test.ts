import { describe, expect, it } from 'vitest'
import { dot, expectClose, norm, subtract, tuned } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'
import { interpolationRatio } from './model-stock.ts'

const { base, models } = tuned(240, 3)

function naive(base: ArrayLike<number>, models: ArrayLike<number>[]): number[] {
  const N = models.length
  const deltas = models.map((x) => subtract(x, base))
  const cosines = deltas.flatMap((a, i) =>
    deltas.slice(i + 1).map((b) => dot(a, b) / Math.max(norm(a) * norm(b), 1e-6)),
  )
  const cos = cosines.reduce((sum, c) => sum + c, 0) / cosines.length
  const t = (N * cos) / (1 + (N - 1) * cos)
  return Array.from(base, (b, i) => t * (models.reduce((sum, x) => sum + x[i]!, 0) / N) + (1 - t) * b)
}
const rowsOf = (x: ArrayLike<number>): number[][] =>
  Array.from({ length: 12 }, (_, r) => Array.from(x).slice(r * 20, r * 20 + 20))

describe('model_stock', () => {
  it('goes from the base to the mean by t = N·cos / (1 + (N−1)·cos)', async () => {
    expectClose(await mergeArrays('model_stock', { base, models }), naive(base, models))
  })

  it('takes an angle for each row with filter_wise; a vector is one row', async () => {
    const rows = rowsOf(base).flatMap((row, r) =>
      naive(
        row,
        models.map((x) => rowsOf(x)[r]!),
      ),
    )
    expectClose(
      await mergeArrays('model_stock', { shape: [12, 20], base, models, parameters: { filter_wise: true } }),
      rows,
    )
    expectClose(
      await mergeArrays('model_stock', { base, models, parameters: { filter_wise: true } }),
      naive(base, models),
    )
  })

  it('gives back equal models, the base where none differs from it, and does not depend on their order', async () => {
    expectClose(await mergeArrays('model_stock', { base, models: [models[0]!, models[0]!] }), models[0]!)
    expect(await mergeArrays('model_stock', { base, models: [base, base] })).toEqual(base)
    expectClose(
      await mergeArrays('model_stock', { base, models: models.toReversed() }),
      await mergeArrays('model_stock', { base, models }),
    )
  })

  it('is the base where the models pull apart, the pole of t', async () => {
    const opposite = Float32Array.from(base, (b, i) => 2 * b - models[0]![i]!)
    expectClose(await mergeArrays('model_stock', { base, models: [models[0]!, opposite] }), base, 1e-3)
    expect(
      interpolationRatio([
        [1, -1],
        [-1, 1],
      ]),
    ).toBe(0)
  })

  it.each<[string, readonly (readonly number[])[], number]>([
    ['is no more than 1 where rounding makes a cosine larger', [[1], [1.5, 1]], 1],
    ['is 0 where rounding makes a cosine less than -1', [[1], [-1.5, 1]], 0],
    ['is of orthogonal changes 0', [[4], [0, 9]], 0],
    ['is of the mean of the cosines, here 1/2', [[4], [2, 4], [1, 3, 4]], 0.75],
    ['is nearly 0 where the changes are nothing', [[1e-16], [1e-16, 1e-16]], 2e-10],
  ])('t %s', (_, products, t) => {
    const gram = products.map((row, i) => products.map((other, j) => (j <= i ? row[j]! : other[i]!)))
    expect(interpolationRatio(gram)).toBeCloseTo(t, 9)
  })

  it('needs two models besides the base', async () => {
    await expect(mergeArrays('model_stock', { base, models: [models[0]!] })).rejects.toMatchObject({
      issue: { code: 'model-count', min: 2 },
    })
  })
})
