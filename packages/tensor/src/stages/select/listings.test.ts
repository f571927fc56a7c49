import { expect, test } from 'vitest'
import { fmix32 } from '../../numbers/random.ts'
import { numberOf } from './bit-brackets.ts'
import { createListings } from './listings.ts'

const value = { op: 'input', slot: 0 } as const
/** As of many quantiles. */
const ranksInTurns = Array.from({ length: 300 }, (_, i) => 150 * i + 75)
const everything = { lo: 0, hi: 2 ** 31 }
const search = (rank: number, lo: number, hi: number) => ({
  value,
  rank,
  bracket: everything,
  window: { lo, hi, share: 0.01 },
})
/** Numbers of a wide range, of which many are equal. */
const patterns = Array.from({ length: 50_000 }, (_, i) => 0x30000000 + 16 * (fmix32(i + 1) % 2 ** 20))

test.each([
  ['apart', [search(40_000, 0x30300000, 0x30400000), search(10_000, 0x30c00000, 0x30d00000)]],
  ['one in the other', [search(25_000, 0x30700000, 0x30900000), search(25_100, 0x307f0000, 0x30820000)]],
  ['that touch', [search(25_000, 0x30780000, 0x30800001), search(24_900, 0x30800001, 0x30880000)]],
  ['of which one has nothing', [search(1, 0x40000000, 0x40000010), search(25_000, 0x30780000, 0x30880000)]],
  [
    'of more ranks than a byte numbers',
    ranksInTurns.map((rank) => {
      const middle = 0x30000000 + 16 * Math.round(2 ** 20 * (1 - rank / 50_000))
      return search(rank, middle - 2 ** 16, middle + 2 ** 16)
    }),
  ],
  ['of a single pattern', [search(25_000, 0x30800000, 0x30800001)]],
])('gives what sorting gives, or tells that the rank is not in its window: windows %s', (_, searches) => {
  const [listing] = createListings(searches).values()
  const { windows } = listing!.collection
  const lists = [patterns.slice(0, 20_000), patterns.slice(20_000)]
  for (const list of lists) {
    const below = windows.map(({ lo }) => list.filter((pattern) => pattern < lo).length)
    const listed = list.filter((pattern) => windows.some(({ lo, hi }) => pattern >= lo && pattern < hi))
    listing!.add(Uint32Array.from([...below, ...listed]))
  }
  const sorted = patterns.toSorted((a, b) => b - a)
  const expected = searches.map(({ rank, window: { lo, hi } }) => {
    const pattern = sorted[rank - 1]!
    // Windows that overlap are one, so that a rank may be in the other.
    const isIn = windows.some(
      (joined) => joined.lo <= lo && hi <= joined.hi && pattern >= joined.lo && pattern < joined.hi,
    )
    if (!isIn) return { kind: 'misled' }
    const [first, last] = [sorted.indexOf(pattern), sorted.lastIndexOf(pattern)]
    return { kind: 'threshold', threshold: numberOf(pattern), above: first, equal: last + 1 - first }
  })
  expect(expected.some(({ kind }) => kind === 'threshold') || searches.length === 1).toBe(true)
  expect(listing!.find(searches, patterns.length)).toEqual(expected)
})
