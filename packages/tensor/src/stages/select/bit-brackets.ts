import { INFINITY_BITS } from '../../numbers/numerics.ts'

/**
 * A range lo ≤ b < hi of the bit patterns of non-negative float32, which sort as the numbers do. Every NaN counts as the
 * pattern NAN, so that a range of one pattern is one number.
 */
export interface Bracket {
  readonly lo: number
  readonly hi: number
}

const NAN = INFINITY_BITS + 1
export const EVERYTHING: Bracket = { lo: 0, hi: NAN + 1 }

/** How many elements fell into each of the bins, which are 2^shift patterns wide; then how many below and past them. */
export interface Counts {
  readonly lo: number
  readonly shift: number
  readonly counts: Float64Array | Uint32Array
}

/** A part of the patterns that holds an element of a given rank, how many elements are larger than all of it, and how many are in it. */
export interface Place extends Bracket {
  readonly above: number
  readonly equal: number
}

export const numberOf = (pattern: number): number =>
  pattern === NAN ? NaN : new Float32Array(Uint32Array.of(pattern).buffer)[0]!

/** Chooses the finest bins that cover a bracket, infinity possibly excepted, and don't reach NaN. */
export function placeBins({ lo, hi }: Bracket, bins: number): { lo: number; shift: number } {
  const width = Math.min(hi, INFINITY_BITS) - lo
  let shift = 0
  while (bins * 2 ** shift < width) shift++
  return { lo: Math.min(lo, NAN - bins * 2 ** shift), shift }
}

/** Tells where the `rank`-th largest (from 1) of the counted elements is: in a bin, below them all or past them all. */
export function place(given: Counts, rank: number): Place {
  const { counts } = given
  const bins = counts.length - 2
  const past = counts[bins + 1]!
  if (rank <= past) return placeOf(given, bins, 0)
  const { bin, above } = reachDown(counts, bins, rank, past)
  return placeOf(given, bin, above)
}

/**
 * Tells the same, looking from the smallest up: of differences of 16-bit numbers the lowest pattern of those that share their first bits is the
 * one that abounds.
 * @param total how many elements were counted
 */
export function placeUpwards(given: Counts, rank: number, total: number): Place {
  const { counts } = given
  const bins = counts.length - 2
  let above = total - counts[bins]!
  let bin = -1
  while (rank <= above && bin < bins) if (++bin < bins) above -= counts[bin]!
  return placeOf(given, bin, above)
}

/** @param bin -1: below them all; as many as there are: past them all */
function placeOf({ lo, shift, counts }: Counts, bin: number, above: number): Place {
  const bins = counts.length - 2
  const start = lo + bin * 2 ** shift
  if (bin < 0) return { lo: 0, hi: lo, above, equal: counts[bins]! }
  if (bin === bins) return { lo: start, hi: NAN + 1, above: 0, equal: counts[bins + 1]! }
  return { lo: start, hi: start + 2 ** shift, above, equal: counts[bin]! }
}

/**
 * Leaves out the bins past the largest of all.
 *
 * What goes down the bins is one loop, since each over so many is compiled in the midst of its first run, in each thread.
 */
export function trimCounts<C extends Counts>(given: C): C {
  const { counts } = given
  const bins = counts.length - 2
  if (counts[bins + 1] !== 0) return given
  const end = Math.max(1, reachDown(counts, bins, 1, 0).bin + 1)
  const trimmed = counts.slice(0, end + 2)
  trimmed.set([counts[bins]!, 0], end)
  return { ...given, counts: trimmed }
}

/** Finds the bin, from the last down, with which the sum of counts reaches a rank, and the sum without it; bin -1 where none does. */
function reachDown(
  counts: Counts['counts'],
  bins: number,
  rank: number,
  past: number,
): { readonly bin: number; readonly above: number } {
  let above = past
  let bin = bins - 1
  for (; bin >= 0; bin--) {
    const count = counts[bin]!
    // Most are empty: differences of 16-bit numbers have few values.
    if (count === 0) continue
    const reached = above + count
    if (reached >= rank) break
    above = reached
  }
  return { bin, above }
}

/** A bracket, and about what share of all elements is within it. */
export interface Window extends Bracket {
  readonly share: number
}

/** By so many deviations of a sample's own counts a window reaches to either side. */
const windowDeviations = 5

/**
 * Tells from counts over a sample within which patterns the number almost certainly is that the given fraction of all elements reaches, if
 * the sample is like all of them. Undefined where that is near zero or infinity.
 * @param total how many elements the sample has
 */
export function narrowWindow(sample: Counts, total: number, fraction: number): Window | undefined {
  const margin = windowDeviations * Math.sqrt((fraction * (1 - fraction)) / total)
  const patternAt = (share: number): number => {
    if (!(share > 0 && share < 1)) return 0
    const rank = total * share
    const { lo, hi, above, equal } = place(sample, Math.ceil(rank))
    return hi - Math.ceil(((rank - above) / equal) * (hi - lo))
  }
  const [lo, hi] = [patternAt(fraction + margin), patternAt(fraction - margin) + 1]
  // Zeros are all in the first bin.
  return lo >= 2 ** sample.shift && lo < hi && hi <= INFINITY_BITS ? { lo, hi, share: 2 * margin } : undefined
}

/**
 * Tells from counts over a sample where to look for the number that the given fraction of all elements reaches: ±1.5 %
 * of the elements at the median, less towards the ends. Zeros are left out of it where there are others, since they are counted apart.
 * @param total how many elements the sample has
 */
export function guess(sample: Counts, total: number, fraction: number): Bracket {
  const { counts } = sample
  const rest = 1 - fraction
  const margin = Math.min(0.03 * Math.sqrt(fraction * rest), 0.6 * Math.min(fraction, rest))
  const { hi } = place(sample, Math.max(1, Math.floor(total * (fraction - margin))))
  const { lo } = place(sample, Math.ceil(total * (fraction + margin)))
  if (lo > 0) return { lo, hi }
  let firstOther = 1
  while (firstOther < counts.length && counts[firstOther] === 0) firstOther++
  return { lo: firstOther < counts.length ? Math.min(firstOther * 2 ** sample.shift, hi - 1) : 0, hi }
}
