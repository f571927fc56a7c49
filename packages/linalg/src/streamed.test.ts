import { createReferenceRuntime, PRODUCT_DEPTH } from '@mk/tensor/runtime'
import { describe, expect, it } from 'vitest'
import { compose, distance, norm, orthogonalityError, random, subtract } from './__fixtures__/matrices.ts'
import {
  createMatrix,
  leadingColumns,
  type Matrix,
  matrixOperator,
  multiply,
  polarFactor,
  qr,
  randomizedSvd,
  streamedOperator,
  svd,
} from './index.ts'

const runtime = createReferenceRuntime()
const float32 = ({ values }: Matrix) => Float32Array.from(values)

function streamed(matrix: Matrix, blockRows?: number) {
  const bytes = new Uint8Array(float32(matrix).buffer)
  return streamedOperator(runtime, {
    ...matrix,
    dtype: 'F32',
    readRows: (start, count) => bytes.subarray(4 * start * matrix.columns, 4 * (start + count) * matrix.columns),
    ...(blockRows !== undefined && { blockRows }),
  })
}

/** A matrix with given singular values. */
function withSpectrum(rows: number, columns: number, spectrum: (index: number) => number): Matrix {
  const size = Math.min(rows, columns)
  const values = Float64Array.from({ length: size }, (_, i) => spectrum(i))
  const [u, v] = [qr(random(rows, size, 3)).q, qr(random(columns, size, 4)).q]
  return compose(u, values, v)
}

describe('a streamed matrix', () => {
  it('multiplies as the one in memory does, to float32', async () => {
    const matrix = random(700, 9)
    const [operator, exact] = [await streamed(matrix), matrixOperator(matrix)]
    for (const [method, rows] of [
      ['multiply', 9],
      ['multiplyTransposed', 700],
    ] as const)
      expect(distance(await operator[method](random(rows, 4)), await exact[method](random(rows, 4)))).toBeLessThan(2e-5)
    expect((await operator.squaredNorm()) / (await exact.squaredNorm())).toBeCloseTo(1, 6)
  })

  it('gives the same bytes in blocks of any size', async () => {
    const matrix = random(1100, 5)
    const right = random(1100, 3)
    const results = []
    for (const blockRows of [1, PRODUCT_DEPTH, 600, 5000])
      results.push(await (await streamed(matrix, blockRows)).multiplyTransposed(right))
    for (const result of results) expect(result).toEqual(results[0])
  })

  it('refuses factors that do not fit', async () => {
    const operator = await streamed(random(3, 2))
    await expect(operator.multiply(random(3, 1))).rejects.toThrow('the right factor is 3 × 1, expected 2 rows')
    await expect(operator.multiplyTransposed(random(2, 1))).rejects.toThrow('expected 3 rows')
  })
})

describe('a randomized SVD', () => {
  it.each([
    ['falls fast', (i: number) => 0.7 ** i],
    ['falls slowly', (i: number) => 1 / (i + 1)],
    ['is flat', () => 1],
    ['is nearly flat', (i: number) => 1 - i / 200],
    ['has a step', (i: number) => (i < 8 ? 1 : 0.9)],
    ['has a step behind a large one', (i: number) => (i === 0 ? 1e3 : i < 8 ? 1 : 0.01)],
  ])('leaves at most a hundredth more than the optimum where the spectrum %s', async (_, spectrum) => {
    for (const [rows, columns] of [
      [120, 90],
      [60, 150],
    ] as const) {
      const matrix = withSpectrum(rows, columns, spectrum)
      const rank = 8
      const { u, values, v, squaredError } = await randomizedSvd(await streamed(matrix), { rank, seed: 5 })
      const optimum = Math.sqrt(svd(matrix).values.reduce((sum, value, i) => (i < rank ? sum : sum + value * value), 0))
      const error = norm(subtract(matrix, compose(u, values, v)))
      expect(error).toBeLessThan(1.01 * optimum + 1e-6 * norm(matrix))
      expect(Math.abs(squaredError - error ** 2)).toBeLessThan(1e-6 * norm(matrix) ** 2)
      expect(Math.max(orthogonalityError(u), orthogonalityError(v))).toBeLessThan(1e-12)
    }
  })

  it('is exact where the matrix has that rank', async () => {
    const matrix = multiply(random(80, 5), random(5, 70))
    const { u, values, v } = await randomizedSvd(await streamed(matrix), { rank: 5 })
    expect(distance(compose(u, values, v), matrix)).toBeLessThan(1e-5)
  })

  it('has no more values than the smaller side, and that many where asked for more', async () => {
    const matrix = random(6, 20)
    const { u, values, v } = await randomizedSvd(matrixOperator(matrix), { rank: 100 })
    expect([u.columns, values.length, v.columns]).toEqual([6, 6, 6])
    expect(distance(compose(u, values, v), matrix)).toBeLessThan(1e-13)
    const row = random(1, 9)
    const one = await randomizedSvd(matrixOperator(row), { rank: 3 })
    expect(distance(compose(one.u, one.values, one.v), row)).toBeLessThan(1e-14)
  })

  it('takes rank 0 and a matrix of zeros', async () => {
    const none = await randomizedSvd(matrixOperator(random(4, 3)), { rank: 0 })
    expect([none.u.columns, none.values.length, none.v.columns]).toEqual([0, 0, 0])
    const zero = await randomizedSvd(matrixOperator(createMatrix(4, 3)), { rank: 2 })
    expect([...zero.values]).toEqual([0, 0])
    expect(Math.max(orthogonalityError(zero.u), orthogonalityError(zero.v))).toBe(0)
  })

  it('depends on the seed and on nothing else', async () => {
    const matrix = withSpectrum(60, 50, (i) => 1 - i / 200)
    const run = async (seed: number, blockRows: number) =>
      (await randomizedSvd(await streamed(matrix, blockRows), { rank: 4, seed })).u.values
    expect(await run(1, 256)).toEqual(await run(1, 512))
    expect(await run(1, 256)).not.toEqual(await run(2, 256))
  })

  it('refuses NaN', async () => {
    const matrix = random(4, 3)
    matrix.values[5] = NaN
    await expect(randomizedSvd(await streamed(matrix), { rank: 2 })).rejects.toThrow(
      'a matrix of 4 × 3 has no finite norm: expected no NaN and no infinity',
    )
  })
})

describe('a polar factor', () => {
  it.each([
    [40, 40],
    [70, 30],
    [20, 50],
    [1, 9],
    [9, 1],
  ])('of %i × %i is U·Vᵀ, and the nuclear norm the sum of the singular values', async (rows, columns) => {
    const matrix = withSpectrum(rows, columns, (i) => 1 / (i + 1))
    const { u, values, v } = svd(matrix)
    const { factor, nuclearNorm } = await polarFactor(runtime, { rows, columns, values: float32(matrix) })
    const found = createMatrix(rows, columns, Float64Array.from(factor.values))
    expect(distance(found, multiply(u, { rows: v.columns, columns: v.rows, values: transposed(v) }))).toBeLessThan(2e-5)
    expect(nuclearNorm / values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 5)
  })

  it('leaves directions that are not there, and zeros', async () => {
    const matrix = multiply(random(30, 4), random(4, 25))
    const { u, v } = svd(matrix)
    const expected = compose(leadingColumns(u, 4), [1, 1, 1, 1], leadingColumns(v, 4))
    const { factor } = await polarFactor(runtime, { ...matrix, values: float32(matrix) })
    expect(distance(createMatrix(30, 25, Float64Array.from(factor.values)), expected)).toBeLessThan(1e-2)
    const zero = await polarFactor(runtime, { rows: 3, columns: 2, values: new Float32Array(6) })
    expect([...zero.factor.values, zero.nuclearNorm]).toEqual([0, 0, 0, 0, 0, 0, 0])
  })

  it('is of scale nothing knows, and refuses NaN', async () => {
    const values = float32(withSpectrum(20, 20, (i) => 1 / (i + 1)))
    const run = async (factor: number) =>
      (await polarFactor(runtime, { rows: 20, columns: 20, values: values.map((value) => value * factor) })).factor
        .values
    expect(await run(2 ** -40)).toEqual(await run(1))
    await expect(polarFactor(runtime, { rows: 1, columns: 1, values: Float32Array.of(NaN) })).rejects.toThrow(
      'has no finite norm',
    )
  })
})

function transposed({ rows, columns, values }: Matrix): Float64Array {
  return Float64Array.from(values, (_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
}
