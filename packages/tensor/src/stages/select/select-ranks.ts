import { type Bracket, type Counts, EVERYTHING, guess, numberOf, place, type Place } from './bit-brackets.ts'
import { planChunks } from '../chunks.ts'
import {
  countCoarsely,
  countFinely,
  countLikely,
  fineBins,
  type Found,
  type Pass,
  type Search,
  unstable,
} from './count-passes.ts'
import { lower } from '../../program/lower.ts'
import { INFINITY_BITS } from '../../numbers/numerics.ts'
import { matrixColumns } from '../../program/matrix-columns.ts'
import { needsWholeRows } from '../../program/requirements.ts'
import { sampleRanges } from './sample-ranges.ts'
import type { StreamedTensor } from '../stage.ts'

/**
 * How finely a pass counts. Where nothing is known, bins cover all up to infinity: 2^19 patterns each in a sample and in a small
 * tensor, which is cheap to read again, 2^17 in a large one. `narrow` bins do for a bracket that they leave no wider than a fine
 * pass covers.
 */
const coarseBins = { sample: INFINITY_BITS >> 19, large: INFINITY_BITS >> 17, narrow: 4096 }
/** A tensor of so many chunks is small. */
const smallChunks = 4
/** A value that this share of a sample has is worth a try as the threshold itself. */
const commonShare = 1 / 128

interface Sought extends Search {
  readonly bracket: Bracket
}

/**
 * Finds order statistics, exactly; all searches share their passes. A sample of a large tensor tells where to look. Differences of
 * bf16 numbers have few distinct values: where the sample's own threshold is a common one, a pass that only counts what is larger
 * and what equals it proves it right. Else a pass over all elements counts the patterns near the threshold in bins, which leaves
 * one bin, and another counts the single patterns of that. Where the sample misled, there is a further pass.
 */
export async function selectRanks(
  tensor: StreamedTensor,
  searches: readonly Search[],
  keepTies: boolean,
): Promise<Found[]> {
  if (searches.length === 0) return []
  const all = lower(
    { reductions: searches.map(({ value }) => ({ reduce: 'sum', per: 'tensor', value })) },
    tensor.inputDtypes,
  )
  const columns = matrixColumns(all, tensor.shape)
  const wholeRows = needsWholeRows(all.program)
  const ranges = planChunks(tensor.elementCount, columns, wholeRows)
  const pass: Pass = { tensor, columns, ranges }
  const isSmall = ranges.length <= smallChunks
  if (isSmall || wholeRows) {
    return searchBrackets(
      pass,
      searches.map((search) => ({ ...search, bracket: EVERYTHING })),
      isSmall ? coarseBins.sample : coarseBins.large,
      keepTies,
    )
  }
  const seen = await lookAtSample({ ...pass, ranges: sampleRanges(ranges) }, searches, tensor.elementCount)
  const proven = await countLikely(pass, seen)
  const open = seen.filter((search) => !proven.has(search))
  const searched = await searchBrackets(pass, open, coarseBins.large, keepTies)
  return seen.map((search) => proven.get(search) ?? searched[open.indexOf(search)]!)
}

/** For each search a bracket that holds the threshold with high probability, and the threshold itself where it is a common value. */
async function lookAtSample(
  pass: Pass,
  searches: readonly Search[],
  elementCount: number,
): Promise<(Sought & { likely?: number })[]> {
  const size = sizeOf(pass)
  const counted = await countCoarsely(
    pass,
    searches.map((search) => ({ ...search, bracket: EVERYTHING })),
    coarseBins.sample,
  )
  const ofSample = searches.map(({ value, rank }, i) => {
    const own = Math.min(Math.max(1, Math.round((rank / elementCount) * size)), size)
    return { value, rank: own, bracket: placeAmong(counted[i]!, own, size) }
  })
  const thresholds = await searchBrackets(pass, ofSample, coarseBins.sample, false)
  return searches.map((search, i) => {
    const { threshold, above, equal } = thresholds[i]!
    const inside = Math.min(ofSample[i]!.rank - above, above + equal - ofSample[i]!.rank)
    const isLikely = equal >= commonShare * size && inside >= equal / 10 && threshold < Infinity
    return {
      ...search,
      bracket: guess(counted[i]!, search.rank / elementCount),
      ...(isLikely && { likely: threshold }),
    }
  })
}

async function searchBrackets(
  pass: Pass,
  searches: readonly Sought[],
  coarse: number,
  keepTies: boolean,
): Promise<Found[]> {
  if (searches.length === 0) return []
  const size = sizeOf(pass)
  const sought: (Sought & { bracket: Bracket; found?: Place })[] = searches.map((search) => ({ ...search }))
  const isWide = ({ bracket, found }: (typeof sought)[number]) =>
    found === undefined || bracket.hi - bracket.lo > fineBins
  for (let passes = 0; sought.some(isWide); passes++) {
    if (passes > 8) throw unstable()
    const wide = sought.filter(isWide)
    const isNarrow = wide.every(({ bracket: { lo, hi } }) => hi - lo <= coarseBins.narrow * fineBins)
    const counted = await countCoarsely(pass, wide, isNarrow ? coarseBins.narrow : coarse)
    wide.forEach((search, i) => {
      search.found = placeAmong(counted[i]!, search.rank, size)
      search.bracket = search.found
    })
  }
  const open = sought.filter(
    ({ rank, found }) => found!.hi - found!.lo > 1 || (keepTies && rank < found!.above + found!.equal),
  )
  const exact = await countFinely(pass, open)
  return sought.map(
    (search) =>
      exact.get(search) ?? {
        threshold: numberOf(search.found!.lo),
        above: search.found!.above,
        equal: search.found!.equal,
      },
  )
}

/** Zeros, the one number that abounds in differences of models, are counted apart, so that a bracket need not reach down to them. */
function placeAmong(counts: Counts & { readonly zeros: number }, rank: number, size: number): Place {
  const above = size - counts.zeros
  return rank > above ? { lo: 0, hi: 1, above, equal: counts.zeros } : place(counts, rank)
}

const sizeOf = ({ ranges }: Pass): number => ranges.reduce((sum, { start, end }) => sum + end - start, 0)
