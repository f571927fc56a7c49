import { type Bracket, numberOf, place, type Place, placeBins } from './bit-brackets.ts'
import type { Operand } from '../../language/operations.ts'
import type { Found, Search, Sought, Told } from './searches.ts'

/** What a pass lists of one value: what is within the windows of its searches, and how much is below each. */
export interface Listing {
  readonly collection: { readonly value: Operand; readonly windows: readonly Bracket[] }
  /** Takes what a range gave, which is kept. */
  add(part: Uint32Array): void
  /** @param size how many elements all ranges have */
  find(search: Sought, size: number): Told
}

/** Bins into which what is in a window is sorted, of which one is then looked at. */
const listBins = 4096

/** Makes one listing for each value that is searched within windows. */
export function createListings(searches: readonly Sought[]): ReadonlyMap<Operand, Listing> {
  const windows = new Map<Operand, Bracket[]>()
  for (const { value, window } of searches)
    if (window !== undefined) windows.set(value, [...(windows.get(value) ?? []), window])
  return new Map([...windows].map(([value, some]) => [value, createListing(value, joinWindows(some))]))
}

/** Puts windows in order, and those that overlap together. */
function joinWindows(windows: readonly Bracket[]): Bracket[] {
  const joined: Bracket[] = []
  for (const { lo, hi } of windows.toSorted((a, b) => a.lo - b.lo)) {
    const last = joined.at(-1)
    if (last !== undefined && lo <= last.hi) joined[joined.length - 1] = { lo: last.lo, hi: Math.max(last.hi, hi) }
    else joined.push({ lo, hi })
  }
  return joined
}

function createListing(value: Operand, windows: readonly Bracket[]): Listing {
  const lists: Uint32Array[] = []
  const below = windows.map(() => 0)
  const placed = windows.map((window) => placeBins(window, listBins))
  const counts = new Uint32Array(windows.length * listBins)
  // As arrays of numbers: there are millions of patterns.
  const [los, his, shifts] = [
    placed.map(({ lo }) => lo),
    windows.map(({ hi }) => hi),
    placed.map(({ shift }) => shift),
  ].map((numbers) => Int32Array.from(numbers)) as [Int32Array, Int32Array, Int32Array]
  return {
    collection: { value, windows },
    add(part) {
      for (let window = 0; window < below.length; window++) below[window]! += part[window]!
      lists.push(part)
      for (let i = below.length; i < part.length; i++) {
        const pattern = part[i]! | 0
        let window = 0
        while (pattern >= his[window]!) window++
        counts[window * listBins + ((pattern - los[window]!) >> shifts[window]!)]!++
      }
    },
    find({ rank, window: { lo } = windows[0]! }, size) {
      const window = windows.findIndex(({ hi }) => lo < hi)
      const own = new Float64Array(listBins + 2)
      own.set(counts.subarray(window * listBins, (window + 1) * listBins))
      const listed = own.reduce((sum, count) => sum + count, 0)
      const above = size - below[window]! - listed
      if (rank <= above || rank > above + listed) return { kind: 'misled' }
      const bin = place({ ...placed[window]!, counts: own }, rank - above)
      return { kind: 'threshold', ...selectAmong(gather(lists, below.length, bin), { rank, above: above + bin.above }) }
    },
  }
}

/** Finds what is within a bracket. @param first where each list begins */
function gather(lists: readonly Uint32Array[], first: number, { lo, hi, equal }: Place): Uint32Array {
  const found = new Uint32Array(equal)
  let count = 0
  for (const list of lists) {
    for (let i = first; i < list.length; i++) {
      const pattern = list[i]! | 0
      if (pattern >= lo && pattern < hi) found[count++] = pattern
    }
  }
  return found
}

/** Finds an order statistic among patterns. @param above how many elements are larger than all of them */
function selectAmong(patterns: Uint32Array, { rank, above }: Pick<Search, 'rank'> & { readonly above: number }): Found {
  patterns.sort().reverse()
  const pattern = patterns[rank - above - 1]!
  const first = patterns.indexOf(pattern)
  return {
    threshold: numberOf(pattern),
    above: above + first,
    equal: patterns.lastIndexOf(pattern) + 1 - first,
  }
}
