import { type Bracket, numberOf } from './bit-brackets.ts'
import type { Operand } from '../../language/operations.ts'
import type { Found, Search, Sought, Told } from './searches.ts'

/** What a pass lists of one value: what is within the windows of its searches, and how much is below each. */
export interface Listing {
  readonly collection: { readonly value: Operand; readonly windows: readonly Bracket[] }
  /** Takes what a range gave, which is kept. */
  add(part: Uint32Array): void
  /**
   * Finds what each of its searches looks for.
   * @param size how many elements all ranges have
   */
  find(searches: readonly Sought[], size: number): readonly Told[]
}

/** Bins over all windows and what is between them, where nothing falls: only those of the windows take time. So many that 16 bits number them. */
const mostBins = 2 ** 16 - 1

/** Makes one listing for each value that is searched within windows. */
export function createListings(searches: readonly Sought[]): ReadonlyMap<Operand, Listing> {
  const windows = new Map<Operand, Bracket[]>()
  for (const { value, window } of searches)
    if (window !== undefined) windows.set(value, [...(windows.get(value) ?? []), window])
  return new Map([...windows].map(([value, some]) => [value, createListing(value, some)]))
}

/** Equally wide bins, 2^shift patterns each. */
interface Bins {
  readonly first: number
  readonly shift: number
  readonly count: number
}

function binsOver(windows: readonly Bracket[]): Bins {
  const first = Math.min(...windows.map(({ lo }) => lo))
  const last = Math.max(...windows.map(({ hi }) => hi)) - 1 - first
  let shift = 0
  while (last >> shift >= mostBins) shift++
  return { first, shift, count: (last >> shift) + 1 }
}

/** Puts windows in order, and those that overlap or share a bin together. */
function joinWindows(windows: readonly Bracket[], { first, shift }: Bins): Bracket[] {
  const joined: Bracket[] = []
  for (const { lo, hi } of windows.toSorted((a, b) => a.lo - b.lo)) {
    const last = joined.at(-1)
    if (last !== undefined && (lo - first) >> shift <= (last.hi - first) >> shift)
      joined[joined.length - 1] = { lo: last.lo, hi: Math.max(last.hi, hi) }
    else joined.push({ lo, hi })
  }
  return joined
}

function createListing(value: Operand, some: readonly Bracket[]): Listing {
  const bins = binsOver(some)
  const { first, shift } = bins
  const windows = joinWindows(some, bins)
  const below = windows.map(() => 0)
  const counts = new Uint32Array(bins.count)
  const lists: Uint32Array[] = []
  const binAt = (pattern: number): number => (pattern - first) >> shift
  /** The bin where a rank is, and how many elements are larger than all of it; undefined if it is in none. */
  const place = ({ rank, window }: Sought, size: number) => {
    const at = windows.findIndex(({ hi }) => window!.lo < hi)
    const { lo, hi } = windows[at]!
    const [firstBin, lastBin] = [binAt(lo), binAt(hi - 1)]
    let above = size - below[at]!
    for (let bin = firstBin; bin <= lastBin; bin++) above -= counts[bin]!
    if (rank <= above) return undefined
    for (let bin = lastBin; bin >= firstBin; bin--) {
      const count = counts[bin]!
      if (rank <= above + count) return { bin, above }
      above += count
    }
    return undefined
  }
  return {
    collection: { value, windows },
    add(part) {
      for (let window = 0; window < below.length; window++) below[window]! += part[window]!
      lists.push(part)
      for (let i = below.length; i < part.length; i++) counts[((part[i]! | 0) - first) >> shift]!++
    },
    find(searches, size) {
      const places = searches.map((search) => place(search, size))
      const wanted = new Map(places.flatMap((found) => (found ? [[found.bin, counts[found.bin]!]] : [])))
      const patterns = gather(lists, below.length, bins, wanted)
      return searches.map(({ rank }, i) => {
        const found = places[i]
        if (found === undefined) return { kind: 'misled' }
        return { kind: 'threshold', ...selectAmong(patterns.get(found.bin)!, { rank, above: found.above }) }
      })
    },
  }
}

/**
 * Finds what is in some of the bins, ascending.
 * @param from where each list begins
 * @param wanted how much is in each
 */
function gather(
  lists: readonly Uint32Array[],
  from: number,
  { first, shift, count }: Bins,
  wanted: ReadonlyMap<number, number>,
): ReadonlyMap<number, Uint32Array> {
  const found = [...wanted.values()].map((size) => new Uint32Array(size))
  const filled = found.map(() => 0)
  // One for each bin: nearly all are 0, which is all that is looked at of most patterns.
  const marks = new Uint16Array(count)
  let mark = 0
  for (const bin of wanted.keys()) marks[bin] = ++mark
  for (const list of lists) {
    for (let i = from; i < list.length; i++) {
      const pattern = list[i]! | 0
      const at = marks[(pattern - first) >> shift]!
      if (at > 0) found[at - 1]![filled[at - 1]!++] = pattern
    }
  }
  return new Map([...wanted.keys()].map((bin, i) => [bin, found[i]!.sort()]))
}

/** Finds an order statistic among ascending patterns. @param above how many elements are larger than all of them */
function selectAmong(patterns: Uint32Array, { rank, above }: Pick<Search, 'rank'> & { readonly above: number }): Found {
  const pattern = patterns[patterns.length - (rank - above)]!
  const last = patterns.lastIndexOf(pattern)
  return {
    threshold: numberOf(pattern),
    above: above + patterns.length - 1 - last,
    equal: last + 1 - patterns.indexOf(pattern),
  }
}
