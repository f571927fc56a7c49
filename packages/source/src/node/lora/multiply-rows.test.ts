import { expect, it } from 'vitest'
import { createRowMultiplier, tileColumns } from './multiply-rows.ts'

/** The definition: each step rounded to float32, in the order of k. */
function plainProduct(left: Float32Array, right: readonly Float32Array[]): Float32Array {
  const sums = new Float32Array(right[0]!.length)
  right.forEach((row, k) => {
    for (let i = 0; i < sums.length; i++) sums[i] = Math.fround(sums[i]! + Math.fround(left[k]! * row[i]!))
  })
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
    const rows = Array.from({ length: rank }, (_, k) => right.subarray(k * width + start, k * width + start + count))
    multiplier.setRight(right, start, width, rank, count)
    for (const leftStart of [0, 2]) {
      expect(multiplier.multiply(left, leftStart)).toEqual(plainProduct(left.subarray(leftStart), rows))
    }
  }
})
