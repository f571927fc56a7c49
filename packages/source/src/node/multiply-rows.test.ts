import { expect, it } from 'vitest'
import { createRowMultiplier, tileColumns } from './multiply-rows.ts'

/** The definition: each step rounded to float32, in the order of k. */
function plainProduct(
  left: Float32Array,
  leftStart: number,
  right: Float32Array,
  start: number,
  width: number,
  rank: number,
  count: number,
): Float32Array {
  const sums = new Float32Array(count)
  for (let k = 0; k < rank; k++) {
    for (let i = 0; i < count; i++)
      sums[i] = Math.fround(sums[i]! + Math.fround(left[leftStart + k]! * right[k * width + start + i]!))
  }
  return sums
}

const numbers = (count: number) => Float32Array.from({ length: count }, (_, i) => Math.sin(i * i + 1) * 3)

it('gives the bits of the plain product, for every remainder of rank and columns', () => {
  const multiplier = createRowMultiplier()
  for (const [rank, width, count] of [
    [64, 1500, tileColumns],
    [1, 1, 1],
    [2, 7, 6],
    [3, 9, 5],
    [4, 8, 8],
    [5, 40, 33],
    [100, 3, 2],
    [1, 5, 3],
  ] as const) {
    const right = numbers(rank * width)
    const left = numbers(rank + 2)
    const start = width - count
    multiplier.setRight(right, start, width, rank, count)
    for (const leftStart of [0, 2]) {
      expect(multiplier.multiply(left, leftStart)).toEqual(
        plainProduct(left, leftStart, right, start, width, rank, count),
      )
    }
  }
})
