import { perRow } from '@mk/tensor'
import { describe, expect, it } from 'vitest'
import { expectClose, noise, tuned } from '../__fixtures__/arrays.ts'
import { bendOfSmall, fromZeroToMean, rowDivergences } from './arcee-fusion.ts'
import { defineMethod } from '../declare/define-method.ts'
import { mergeArrays } from '../merge-arrays.ts'

function naiveDivergences(a: Float32Array, b: Float32Array, columns: number, smallest = 0): number[] {
  const softmax = (row: number[]): number[] => {
    const powers = row.map((v) => Math.exp(v - Math.max(...row)))
    const sum = powers.reduce((a, b) => a + b)
    return powers.map((v) => v / sum + smallest)
  }
  const row = (x: Float32Array, r: number): number[] => Array.from(x.subarray(r * columns, (r + 1) * columns))
  return Array.from({ length: a.length / columns }, (_, r) => {
    const [p, q] = [softmax(row(a, r)), softmax(row(b, r))]
    return p.reduce((sum, v, c) => sum + v * Math.log(v / q[c]!), 0)
  })
}

/** As published, in float64. */
function naive(base: Float32Array, other: Float32Array, columns: number): Float32Array {
  const divergences = naiveDivergences(other, base, columns, 1e-8)
  const importance = Float64Array.from(
    base,
    (b, i) => Math.abs(Math.fround(other[i]! - b)) * divergences[Math.floor(i / columns)]!,
  )
  const sorted = importance.toSorted()
  const [q1, median, q3] = [0.25, 0.5, 0.75].map((q) => sorted[Math.floor(q * (sorted.length - 1))]!) as [
    number,
    number,
    number,
  ]
  return base.map((b, i) => (importance[i]! >= median + 1.5 * (q3 - q1) ? other[i]! : b))
}

const {
  base,
  models: [other],
} = tuned(2000, 1) as { base: Float32Array; models: [Float32Array] }
const fuse = (shape: number[], b: Float32Array, o: Float32Array): Promise<Float32Array> =>
  mergeArrays('arcee_fusion', { shape, base: b, models: [o] })

describe('arcee_fusion', () => {
  it.each([
    [40, 50],
    [500, 4],
    [1, 2000],
  ])('takes the other model where the importance is high, %d × %d', async (rows, columns) => {
    const fused = await fuse([rows, columns], base, other)
    expect(fused).toEqual(naive(base, other, columns))
    expect(fused.filter((v, i) => v !== base[i]).length).toBeGreaterThan(50)
  })

  it('takes a vector as one row', async () => {
    expect(await fuse([2000], base, other)).toEqual(naive(base, other, 2000))
  })

  it('tells apart models that are very near, where Σ p·log(p/q) in float32 is rounding', async () => {
    const near = base.map((b, i) => Math.fround(b + (other[i]! - b) * 1e-3))
    expect(await fuse([40, 50], base, near)).toEqual(naive(base, near, 50))
  })

  it('tells apart models that are far from each other', async () => {
    const far = noise(2000, 7, 10)
    expect(await fuse([40, 50], base, far)).toEqual(naive(base, far, 50))
  })

  it('rounds the index of a quantile down', async () => {
    const zeros = new Float32Array(4)
    expect(await fuse([4], zeros, Float32Array.of(1, 2, 3, 4.8))).toEqual(zeros)
    expect(await fuse([4], zeros, Float32Array.of(1, 2, 3, 5.2))).toEqual(Float32Array.of(0, 0, 0, 5.2))
  })

  // Among 16-bit models differences are often whole multiples of one power of two, so that ties are exact.
  it.each([[[40]], [[1, 40]], [[5, 8]], [[2, 20]]])(
    'takes the other model exactly at the threshold, %j',
    async (shape) => {
      const columns = shape.at(-1)!
      // In each row the same differences, so that all rows have one divergence: Q1 = 1, the median 2, Q3 = 4, the threshold 6.5.
      const steps = [1, 1, 2, 2, 4, 4, 6.5, 6.25]
      for (let scale = 1; scale < 200; scale += 7) {
        const zeros = new Float32Array(40)
        const other = zeros.map((_, i) => (steps[(i % columns) % 8]! * scale) / 2048)
        const fused = await fuse(shape, zeros, other)
        expect(fused).toEqual(other.map((v) => (v * 2048 === 6.5 * scale ? v : 0)))
      }
    },
  )

  it('gives back equal models', async () => {
    expect(await fuse([40, 50], base, base)).toEqual(base)
  })

  it('takes the other model where there is one column, whose softmax is always 1', async () => {
    expect(await fuse([3, 1], Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6))).toEqual(Float32Array.of(4, 5, 6))
    expect(await fuse([], Float32Array.of(1), Float32Array.of(2))).toEqual(Float32Array.of(2))
  })

  it('takes the other model where a row has no divergence, so small are its changes', async () => {
    const small = Float32Array.of(1e-25, 2e-25, 3e-25, 52e-25)
    expect(await fuse([1, 4], new Float32Array(4), small)).toEqual(small)
  })

  it('keeps the base in rows with NaN', async () => {
    const broken = other.map((v, i) => (i === 3 ? NaN : v))
    const fused = await fuse([40, 50], base, broken)
    expect(fused.subarray(0, 50)).toEqual(base.subarray(0, 50))
    expect(fused).not.toEqual(base)
  })
})

describe('series', () => {
  const factorial = (k: number): number => (k === 0 ? 1 : k * factorial(k - 1))
  const sumOf = (from: number, to: number, term: (k: number) => number) =>
    Array.from({ length: to - from + 1 }, (_, i) => term(from + i)).reduce((a, b) => a + b)

  it.each([1, -1, 0.5, 0.01])('have the coefficients of exponentials, of %d', async (x) => {
    const expected = sumOf(2, 8, (k) => (x ** k * (k - 1)) / factorial(k))
    expect(fromZeroToMean(x) / expected).toBeCloseTo(1, 14)
    const bend = defineMethod({
      name: 'bend',
      summary: '',
      base: 'none',
      models: { min: 1 },
      parameters: { perModel: {}, methodWide: {} },
      merge: ({ models }) => bendOfSmall(models[0]!),
    })
    const [found] = await mergeArrays(bend, { models: [Float32Array.of(x)] })
    expect(found! / sumOf(2, 6, (k) => (-Math.fround(x)) ** k / factorial(k))).toBeCloseTo(1, 6)
  })

  it('are as exact as float64 and float32 where they are used', () => {
    for (const x of [0.25, -0.25]) expect(fromZeroToMean(x) / (1 - Math.exp(x) * (1 - x))).toBeCloseTo(1, 7)
  })
})

describe('rowDivergences', () => {
  const method = defineMethod({
    name: 'divergences',
    summary: '',
    base: 'required',
    models: { min: 1 },
    parameters: { perModel: {}, methodWide: {} },
    merge: async ({ base, models: [other] }, _parameters, context) =>
      perRow(await rowDivergences(other!, base!, context)),
  })

  it.each([1e-4, 0.01, 0.5, 2, 5])('is KL(softmax(a) ‖ softmax(b)) where they differ by about %d', async (size) => {
    const a = base.map((b, i) => b + size * 10 * (other[i]! - b))
    const rows = await mergeArrays(method, { shape: [40, 50], base, models: [a] })
    expectClose(
      rows.filter((_, i) => i % 50 === 0),
      naiveDivergences(a, base, 50),
      2e-6,
    )
  })

  it.each([
    ['the weights are large', base.map((b) => 100 * b + 300), 1e-3],
    ['the weights are far below zero', base.map((b) => b - 300), 1e-3],
    ['a model is shifted', base, 0.2],
  ])('is that where %s', async (_, b, shift) => {
    const a = b.map((v, i) => v + shift + (other[i]! - base[i]!) / 10)
    const rows = await mergeArrays(method, { shape: [40, 50], base: b, models: [a] })
    expectClose(
      rows.filter((_, i) => i % 50 === 0),
      naiveDivergences(a, b, 50),
      2e-5,
    )
  })

  /** Rows of a rare element with a large difference, and one that outweighs it: their mean is about 0. */
  function outweighed(sign: number, largest = 0.249, shift = 0) {
    const rows = 64
    const [b, a] = [new Float32Array(2 * rows), new Float32Array(2 * rows)]
    for (let row = 0; row < rows; row++) {
      const difference = sign * (largest - row / 1000)
      b[2 * row] = shift
      b[2 * row + 1] = shift + 3 + row / rows
      a[2 * row] = shift + difference
      a[2 * row + 1] = b[2 * row + 1]! - difference * Math.exp(difference - 3 - row / rows)
    }
    return { shape: [rows, 2], base: b, models: [a] }
  }

  it.each([1, -1])('is that where differences are as large as the series takes, nearly all %d', async (sign) => {
    const request = outweighed(sign)
    const found = await mergeArrays(method, request)
    const expected = naiveDivergences(request.models[0]!, request.base, 2)
    const errors = expected.map((value, row) => found[2 * row]! / value - 1)
    expect(Math.abs(errors.reduce((sum, error) => sum + error) / errors.length)).toBeLessThan(3e-7)
  })

  it.each([
    ['one pass where all differences are small', outweighed(1), 1],
    ['one pass where there are none', { shape: [2], base: new Float32Array(2), models: [new Float32Array(2)] }, 1],
    ['three more where some are not', outweighed(1, 0.26), 4],
    ['three more where exponentials come near the ends of float32', outweighed(1, 0.2, -60), 4],
    [
      'three more where a mean is not small against the differences',
      { shape: [2], base: new Float32Array(2), models: [Float32Array.of(0.1, 0.11)] },
      4,
    ],
  ])('takes %s', async (_, request, passes) => {
    let count = 0
    const counting: typeof method = {
      ...method,
      merge: ({ base: b, models: [a] }, _parameters, context) => {
        const reduce: typeof context.reduce = (reductions) => {
          count++
          return context.reduce(reductions)
        }
        return rowDivergences(a!, b!, { ...context, reduce }).then(perRow)
      },
    }
    await mergeArrays(counting, request)
    expect(count).toBe(passes)
  })

  it('is that where differences are of a few sizes, and their mean is not 0', async () => {
    const a = base.map((b, i) => Math.fround(b + 0.04 + 0.08 * (((i * 7919) % 5) - 2)))
    const rows = await mergeArrays(method, { shape: [40, 50], base, models: [a] })
    expectClose(
      rows.filter((_, i) => i % 50 === 0),
      naiveDivergences(a, base, 50),
      2e-6,
    )
  })
})
