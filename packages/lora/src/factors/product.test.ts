import { createMatrix, multiply } from '@mk/linalg'
import { expect, test } from 'vitest'
import { joinProducts, type Product, squaredNorm } from './product.ts'

const product = (out: number, rank: number, input: number, seed: number): Product => ({
  b: createMatrix(
    out,
    rank,
    Float64Array.from({ length: out * rank }, (_, i) => Math.sin(seed + i * i)),
  ),
  a: createMatrix(
    rank,
    input,
    Float64Array.from({ length: rank * input }, (_, i) => Math.cos(seed * i)),
  ),
})
const squares = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0)

test('the squared norm of a product is that of its elements', () => {
  for (const [out, rank, input] of [
    [7, 3, 5],
    [1, 1, 9],
    [40, 12, 8],
    [3, 0, 4],
  ] as const) {
    const one = product(out, rank, input, 2)
    const expected = squares(multiply(one.b, one.a).values)
    expect(Math.abs(squaredNorm(one) - expected)).toBeLessThanOrEqual(1e-14 * expected)
  }
})

test('the squared norm of what cancels is not negative, and NaN stays NaN', () => {
  const one = product(6, 2, 5, 1)
  const minus = { a: one.a, b: { ...one.b, values: one.b.values.map((value) => -value) } }
  const left = squaredNorm(joinProducts([one, minus]))
  expect(left).toBeGreaterThanOrEqual(0)
  expect(left).toBeLessThan(1e-14 * squaredNorm(one))
  one.b.values[3] = Number.NaN
  expect(squaredNorm(one)).toBeNaN()
})
