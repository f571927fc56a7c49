import { describe, expect, it } from 'vitest'
import { type ElementRange, planChunks } from '../chunks.ts'
import { sampleByRows, sampleRanges, unitOfRows } from './sample-ranges.ts'

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

describe('pieces by what rows have', () => {
  const numbersOf = (rows: number) => Float32Array.from({ length: rows }, (_, row) => ((row * 7919) % rows) / rows)

  it.each([
    [2048, 2048, 128, 2048],
    [2048, 5632, 128, 2048],
    [256, 2048, 16, 2048],
    [4096, 768, 256, 768],
    [40_000, 64, 1024, 64],
    [3, 64, 1, 64],
  ])('of %i rows of %i are %i pieces of %i elements, each within one row', (rows, columns, pieces, length) => {
    const unit = unitOfRows(columns)!
    const ranges = sampleByRows(numbersOf(rows), columns, unit)
    expect(ranges).toHaveLength(pieces)
    let last = 0
    for (const { start, end } of ranges) {
      expect(start).toBeGreaterThanOrEqual(last)
      expect(start % unit).toBe(0)
      expect(end - start).toBe(length)
      expect(Math.floor((end - 1) / columns)).toBe(Math.floor(start / columns))
      last = end
    }
  })

  it('have each a part of the order of the numbers, infinities and NaN among them', () => {
    const numbers = numbersOf(2048).map((value, row) => (row === 5 ? NaN : row === 6 ? Infinity : value))
    const sorted = [...numbers.keys()].toSorted((a, b) =>
      numbers[a]! < numbers[b]! || numbers[b]! !== numbers[b]! ? -1 : 1,
    )
    const places = sampleByRows(numbers, 2048, 256).map(({ start }) => sorted.indexOf(Math.floor(start / 2048)))
    expect(places.toSorted((a, b) => a - b).map((at) => Math.floor(at / 16))).toEqual([...Array(128).keys()])
  })
})

it('do not where those would be short', () => {
  expect([1, 7, 16, 1000, 150_001].map(unitOfRows)).toEqual([undefined, undefined, undefined, undefined, undefined])
  expect(unitOfRows(32)).toBe(32)
})
