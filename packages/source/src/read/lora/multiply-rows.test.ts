import { expect, test } from 'vitest'
import { createRowMultiplier, tileColumns } from './multiply-rows.ts'

const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, index) => Math.fround(Math.sin(index * 12.9898 + seed) * 3))

/** In float64. */
function plain(left: Float32Array, right: Float32Array, rank: number, width: number, [start, count]: [number, number]) {
  return Float32Array.from({ length: count }, (_, column) => {
    let sum = 0
    for (let k = 0; k < rank; k++) sum += left[k]! * right[k * width + start + column]!
    return sum
  })
}

test.each([1, 2, 3, 4, 5, 7, 8, 12, 13, 16, 31, 64])('of rank %s', (rank) => {
  const multiplier = createRowMultiplier()
  const width = tileColumns + 8
  const [left, right] = [numbers(rank + 3, 1), numbers(rank * width, 2)]
  for (const [start, count] of [
    [0, 1],
    [5, 3],
    [8, tileColumns],
    [0, tileColumns - 1],
  ] as [number, number][]) {
    multiplier.setRight(right, start, width, rank, count)
    const sums = multiplier.multiply(left, 3)
    const expected = plain(left.subarray(3), right, rank, width, [start, count])
    expect(sums.length).toBe(count)
    for (const [column, value] of expected.entries()) expect(sums[column]).toBeCloseTo(value, 3)
  }
})

test('nothing is left of an earlier matrix that had more ranks, NaN among its elements', () => {
  const multiplier = createRowMultiplier()
  for (const rank of [8, 5, 4, 3, 2, 1]) {
    multiplier.setRight(new Float32Array(16 * 4).fill(NaN), 0, 4, 16, 4)
    multiplier.multiply(new Float32Array(16), 0)
    multiplier.setRight(new Float32Array(rank * 4).fill(1), 0, 4, rank, 4)
    expect([...multiplier.multiply(new Float32Array(rank).fill(2), 0)]).toEqual(Array(4).fill(2 * rank))
  }
})

test('each left row has sums of its own', () => {
  const multiplier = createRowMultiplier()
  multiplier.setRight(Float32Array.of(1, 2, 10, 20), 0, 2, 2, 2)
  const left = Float32Array.of(1, 1, 2, 3)
  expect([...multiplier.multiply(left, 0)]).toEqual([11, 22])
  expect([...multiplier.multiply(left, 2)]).toEqual([32, 64])
})
