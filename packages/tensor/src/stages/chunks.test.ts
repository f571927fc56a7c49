import fc from 'fast-check'
import { expect, it } from 'vitest'
import { CHUNK_ELEMENTS, joinRanges, planChunks } from './chunks.ts'
import { sampleRanges } from './select/sample-ranges.ts'

it('cuts into as many whole rows as fit', () => {
  const rows = Math.floor(CHUNK_ELEMENTS / 1000)
  expect(planChunks(300_000, 1000)).toEqual([
    { start: 0, end: rows * 1000 },
    { start: rows * 1000, end: 2 * rows * 1000 },
    { start: 2 * rows * 1000, end: 300_000 },
  ])
})

it('cuts long rows, unless they must stay whole, never reaching into the next', () => {
  const row = CHUNK_ELEMENTS + 1
  expect(planChunks(2 * row, row)).toEqual([
    { start: 0, end: row - 1 },
    { start: row - 1, end: row },
    { start: row, end: 2 * row - 1 },
    { start: 2 * row - 1, end: 2 * row },
  ])
  expect(planChunks(2 * row, row, true)).toEqual([
    { start: 0, end: row },
    { start: row, end: 2 * row },
  ])
})

it('gives nothing for an empty tensor', () => {
  expect(planChunks(0, 0)).toEqual([])
})

it('rejects columns that do not divide the tensor', () => {
  expect(() => planChunks(10, 3)).toThrow('10 elements cannot be seen as a matrix of 3 columns')
  expect(() => planChunks(10, 0)).toThrow('0 columns')
})

it('covers every element once, in order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300_000 }),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      (columns, rows, whole) => {
        const chunks = planChunks(columns * rows, columns, whole)
        expect(chunks[0]!.start).toBe(0)
        expect(chunks.at(-1)!.end).toBe(columns * rows)
        chunks.slice(1).forEach(({ start }, i) => expect(start).toBe(chunks[i]!.end))
        for (const { start, end } of chunks) expect(end).toBeGreaterThan(start)
      },
    ),
    { seed: 1 },
  )
})

it('samples disjoint pieces, ascending, at most a sixteenth', () => {
  for (const chunks of [
    planChunks(CHUNK_ELEMENTS * 5, 64),
    planChunks(CHUNK_ELEMENTS * 999, 4096),
    planChunks(7 * 150_001, 150_001),
  ]) {
    const sample = sampleRanges(chunks)
    let last = 0
    let total = 0
    for (const { start, end } of sample) {
      expect(start).toBeGreaterThanOrEqual(last)
      expect(end).toBeGreaterThan(start)
      expect(chunks.some((chunk) => chunk.start <= start && end <= chunk.end)).toBe(true)
      last = end
      total += end - start
    }
    expect(total).toBeLessThanOrEqual(chunks.at(-1)!.end / 16)
    expect(total).toBeGreaterThan(1024 * 20)
  }
})

it('joins ranges that touch, up to a length', () => {
  const ranges = [
    [0, 3],
    [3, 6],
    [6, 9],
    [10, 12],
    [12, 30],
    [30, 31],
  ].map(([start, end]) => ({ start: start!, end: end! }))
  expect(joinRanges(ranges, 6)).toEqual([
    { start: 0, end: 6 },
    { start: 6, end: 9 },
    { start: 10, end: 12 },
    { start: 12, end: 30 },
    { start: 30, end: 31 },
  ])
  expect(joinRanges(ranges, 1)).toEqual(ranges)
  expect(joinRanges([], 6)).toEqual([])
})

it('joins as many elements as are allowed, and no more, wherever they stand', () => {
  const two = (start: number) => [
    { start, end: start + 3 },
    { start: start + 3, end: start + 6 },
  ]
  for (const start of [0, 100, 2 ** 33]) {
    expect(joinRanges(two(start), 6)).toEqual([{ start, end: start + 6 }])
    expect(joinRanges(two(start), 5)).toEqual(two(start))
  }
})
