import { expect, it } from 'vitest'
import { drawn, farthest } from '../__fixtures__/numbers.ts'
import { rowsInMemory } from '../rows/row-store.ts'
import { findUntrained, quantile } from '../rows/untrained-rows.ts'
import { combinePieces } from './combine-pieces.ts'

it('draws numbers with the moments of the normal distribution', () => {
  const values = drawn(200_000)
  const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length
  expect(farthest([1, 2, 3, 4].map(moment), [0, 1, 0, 3])).toBeLessThan(0.05)
})

it('combines pieces: what comes last matters most to an embedding, what comes first to a head', () => {
  const rows = rowsInMemory(Float32Array.of(1, 10, 2, 20, 4, 40), 2)
  const of = (method: Parameters<typeof combinePieces>[2]['method'], isHead: boolean, ids = [0, 1, 2]) => {
    const into = new Float32Array(2)
    combinePieces(rows, Int32Array.from(ids), { method, isHead }, into)
    return [...into]
  }
  expect(of('sum', false)).toEqual([7, 70])
  expect(farthest(of('mean', true), [7 / 3, 70 / 3])).toBeLessThan(1e-5)
  expect(farthest(of('weighted_mean', false), [17 / 6, 170 / 6])).toBeLessThan(1e-5)
  expect(farthest(of('weighted_mean', true), [11 / 6, 110 / 6])).toBeLessThan(1e-5)
  expect(of('first_last', false)).toEqual([4, 40])
  expect(of('first_last', true)).toEqual([1, 10])
  expect(of('mean', false, [])).toEqual([0, 0])
})

it('finds rows that were never trained', async () => {
  const [width, count] = [8, 200]
  const values = drawn(width * count)
  const unused = Int32Array.of(3, 4, 5)
  for (const row of [...unused, 90]) for (let i = 0; i < width; i++) values[row * width + i] = i + 0.01 * row
  values.fill(0.001, 50 * width, 51 * width)
  const likeUnused = await findUntrained(rowsInMemory(values, width), { unused, byNorm: false })
  expect([3, 4, 5].map((row) => likeUnused[row])).toEqual([1, 1, 1])
  expect(likeUnused[50]).toBe(0)
  expect(likeUnused.reduce((sum, flag) => sum + flag, 0)).toBeLessThan(8)
  const short = await findUntrained(rowsInMemory(values, width), { unused: new Int32Array(0), byNorm: true })
  expect(short[50]).toBe(1)
  expect(quantile(Float64Array.of(4, 1, 3, 2), 0.5)).toBe(2.5)
})
