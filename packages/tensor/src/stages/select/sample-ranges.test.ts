import { expect, it } from 'vitest'
import { type ElementRange, planChunks } from '../chunks.ts'
import { sampleRanges, unitOfRows } from './sample-ranges.ts'

const chunksOf = (elementCount: number, size: number): ElementRange[] =>
  Array.from({ length: Math.ceil(elementCount / size) }, (_, i) => ({
    start: i * size,
    end: Math.min((i + 1) * size, elementCount),
  }))

it.each([
  [2 ** 20, 2 ** 17, 32],
  [2 ** 21 - 1, 2 ** 17, 63],
  [2 ** 23, 2 ** 17, 128],
  [2 ** 20, 5000, 32],
])(
  'of %i elements in chunks of %i are %i pieces, each in its part of the tensor and in one chunk',
  (count, size, pieces) => {
    const chunks = chunksOf(count, size)
    const ranges = sampleRanges(chunks)
    expect(ranges).toHaveLength(pieces)
    ranges.forEach(({ start, end }, i) => {
      expect(start).toBeGreaterThanOrEqual(Math.floor((i * count) / pieces))
      expect(start + 2048).toBeLessThanOrEqual(((i + 1) * count) / pieces)
      const chunk = chunks.find((each) => each.end > start)!
      expect(end).toBe(Math.min(start + 2048, chunk.end))
    })
  },
)

it('are not at one column of every row', () => {
  const columns = new Set(sampleRanges(chunksOf(2 ** 22, 2 ** 17)).map(({ start }) => start % 4096))
  expect(columns.size).toBeGreaterThan(100)
})

it.each([64, 96, 2048, 5632, 150_016])('consist of parts of single rows of %i columns', (columns) => {
  const unit = unitOfRows(columns)!
  expect(columns % unit).toBe(0)
  let last = 0
  for (const { start, end } of sampleRanges(planChunks(columns * 700, columns), unit)) {
    expect(start).toBeGreaterThanOrEqual(last)
    expect(start % unit).toBe(0)
    expect((end - start) % unit).toBe(0)
    last = end
  }
})

it('do not where those would be short', () => {
  expect([1, 7, 16, 1000, 150_001].map(unitOfRows)).toEqual([undefined, undefined, undefined, undefined, undefined])
  expect(unitOfRows(32)).toBe(32)
})
