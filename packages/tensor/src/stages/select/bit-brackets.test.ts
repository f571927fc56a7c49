import { describe, expect, it } from 'vitest'
import { INFINITY_BITS } from '../../numbers/numerics.ts'
import {
  EVERYTHING,
  guess,
  narrowWindow,
  numberOf,
  place,
  placeBins,
  placeUpwards,
  trimCounts,
} from './bit-brackets.ts'

const NAN = INFINITY_BITS + 1

describe('bins', () => {
  it('are as fine as cover the bracket', () => {
    expect(placeBins({ lo: 40, hi: 40 + 1024 }, 1024)).toEqual({ lo: 40, shift: 0 })
    expect(placeBins({ lo: 40, hi: 40 + 1025 }, 1024)).toEqual({ lo: 40, shift: 1 })
    expect(placeBins({ lo: 40, hi: 40 + 2048 }, 1024)).toEqual({ lo: 40, shift: 1 })
    expect(placeBins({ lo: 40, hi: 40 + 2049 }, 1024)).toEqual({ lo: 40, shift: 2 })
    expect(placeBins(EVERYTHING, INFINITY_BITS >> 17)).toEqual({ lo: 0, shift: 17 })
  })

  it('do not reach NaN', () => {
    expect(placeBins({ lo: INFINITY_BITS - 8, hi: NAN + 1 }, 16)).toEqual({ lo: NAN - 16, shift: 0 })
    expect(placeBins({ lo: NAN - 16, hi: NAN + 1 }, 16)).toEqual({ lo: NAN - 16, shift: 0 })
    expect(placeBins({ lo: NAN - 30, hi: NAN + 1 }, 16)).toEqual({ lo: NAN - 32, shift: 1 })
  })
})

it('patterns are those of numbers, and one is NaN', () => {
  expect([0, 0x3f800000, INFINITY_BITS].map(numberOf)).toEqual([0, 1, Infinity])
  expect(numberOf(NAN)).toBeNaN()
})

it('a rank is in a bin, past all of them or below', () => {
  const counts = { lo: 100, shift: 2, counts: Float64Array.of(1, 2, 3, 5, 4) }
  const placeOf = (rank: number) => {
    const { lo, hi, above, equal } = place(counts, rank)
    expect(placeUpwards(counts, rank, 15)).toEqual({ lo, hi, above, equal })
    return [lo, hi, above, equal]
  }
  for (const rank of [1, 4]) expect(placeOf(rank)).toEqual([112, NAN + 1, 0, 4])
  for (const rank of [5, 7]) expect(placeOf(rank)).toEqual([108, 112, 4, 3])
  for (const rank of [8, 9]) expect(placeOf(rank)).toEqual([104, 108, 7, 2])
  expect(placeOf(10)).toEqual([100, 104, 9, 1])
  for (const rank of [11, 15]) expect(placeOf(rank)).toEqual([0, 100, 10, 5])
})

describe('a window', () => {
  /** Bins of 8 patterns with a hundred elements each. */
  const sample = { lo: 0, shift: 3, counts: Float64Array.from({ length: 102 }, (_, bin) => (bin < 100 ? 100 : 0)) }

  it('is five deviations to either side, within bins of the sample, too', () => {
    // Of 10,000 ranks 250 at the median, 150 at a tenth.
    expect(narrowWindow(sample, 10_000, 0.5)).toEqual({ lo: 380, hi: 421, share: 0.05 })
    expect(narrowWindow(sample, 10_000, 0.1)).toEqual({ lo: 708, hi: 732, share: expect.closeTo(0.03) })
  })

  it('is nowhere near zero, infinity or the ends', () => {
    expect(narrowWindow(sample, 10_000, 0.0001)).toBeUndefined()
    expect(narrowWindow(sample, 10_000, 0.9999)).toBeUndefined()
    const counts = sample.counts.with(101, 8000)
    expect(narrowWindow({ ...sample, lo: INFINITY_BITS - 800, counts }, 18_000, 0.4)).toBeUndefined()
    const zeros = sample.counts.map((_, bin) => (bin === 101 ? 100 : 0)).with(0, 900)
    expect(narrowWindow({ ...sample, counts: zeros }, 1000, 0.6)).toBeUndefined()
  })
})

describe('a guess from a sample', () => {
  /** Bins 8 patterns wide, the given number in each. */
  const sampleOf = (...bins: readonly number[]) => ({ lo: 0, shift: 3, counts: Float64Array.of(...bins, 0, 0) })
  const guessOf = (sample: ReturnType<typeof sampleOf>, fraction: number) =>
    guess(
      sample,
      sample.counts.reduce((sum, count) => sum + count, 0),
      fraction,
    )
  const ones = (count: number): number[] => Array.from({ length: count }, () => 1)
  /** As ranks of the sample: the bracket is from the bin of the last to that of the first. */
  const ranksOf = (size: number, fraction: number) => {
    const { lo, hi } = guessOf(sampleOf(...ones(size)), fraction)
    return [size - hi / 8 + 1, size - lo / 8]
  }

  it('is 1.5 % of the elements to either side at the median, less towards the ends', () => {
    expect(ranksOf(1000, 0.5)).toEqual([485, 515])
    expect(ranksOf(10_000, 0.1)).toEqual([910, 1091])
    expect(ranksOf(10_000, 0.9)).toEqual([8910, 9090])
    expect(ranksOf(10_000, 0.01)).toEqual([70, 130])
    expect(ranksOf(10_000, 0.99)).toEqual([9870, 9930])
  })

  it('reaches to the largest of a small sample', () => {
    expect(ranksOf(20, 0.01)).toEqual([1, 1])
    expect(ranksOf(20, 0.1)).toEqual([1, 3])
    expect(guessOf(sampleOf(...ones(20)), 1)).toEqual({ lo: 7, hi: 8 })
  })

  it('leaves out zeros, which are counted apart, where there are others', () => {
    const zeros = sampleOf(600, ...ones(99).fill(0), ...ones(400))
    expect(guessOf(zeros, 0.39)).toEqual({ lo: 800, hi: 1008 })
    expect(guessOf(zeros, 0.9)).toEqual({ lo: 7, hi: 8 })
    expect(guessOf(sampleOf(600, 0, 0), 0.5)).toEqual({ lo: 0, hi: 8 })
    expect(guessOf(sampleOf(600, 400), 0.5)).toEqual({ lo: 7, hi: 8 })
    expect(guessOf(sampleOf(600, 400), 0.4)).toEqual({ lo: 8, hi: 16 })
  })
})

it('leaves out empty bins past the largest, which changes nothing', () => {
  const counts = new Uint32Array(1002)
  counts.set([3, 0, 5], 400)
  const given = { lo: 0, shift: 4, counts }
  const trimmed = trimCounts(given)
  expect(trimmed).toEqual({ lo: 0, shift: 4, counts: counts.slice(0, 405) })
  for (let rank = 1; rank <= 9; rank++) expect(place(trimmed, rank)).toEqual(place(given, rank))
  for (const fraction of [0.3, 0.5, 0.8]) expect(guess(trimmed, 8, fraction)).toEqual(guess(given, 8, fraction))
  const below = { lo: 100, shift: 0, counts: Uint32Array.of(0, 2, 0, 0, 7, 0) }
  expect(trimCounts(below).counts).toEqual(Uint32Array.of(0, 2, 7, 0))
  expect(trimCounts({ ...below, counts: Uint32Array.of(0, 0, 7, 0) }).counts).toEqual(Uint32Array.of(0, 7, 0))
  counts[1001] = 1
  expect(trimCounts(given)).toBe(given)
})
