import {
  type Bracket,
  type Counts,
  EVERYTHING,
  guess,
  narrowWindow,
  numberOf,
  place,
  type Place,
  trimCounts,
  type Window,
} from './bit-brackets.ts'
import { planChunks, rangeElements } from '../chunks.ts'
import { countCoarsely, countFinely, fineBins, type Pass, unstable } from './count-passes.ts'
import { gatherVectors } from './gather-vectors.ts'
import type { Operand } from '../../language/operations.ts'
import { lower, type Lowered } from '../../program/lower.ts'
import { INFINITY_BITS } from '../../numbers/numerics.ts'
import { matrixColumns } from '../../program/matrix-columns.ts'
import { needsWholeRows } from '../../program/requirements.ts'
import { ROW_LIMIT, sampleByRows, sampleRanges, unitOfRows } from './sample-ranges.ts'
import type { Found, Search, Sought, Told } from './searches.ts'
import type { StreamedTensor } from '../stage.ts'

/**
 * How finely a pass counts. Where nothing is known, bins cover all up to infinity: 2^16 patterns each in a sample, 2^19 in a small tensor,
 * which is cheap to read again, 2^17 in a large one. `narrow` bins do for a bracket that they leave no wider than a fine pass covers.
 */
const coarseBins = { sample: INFINITY_BITS >> 16, small: INFINITY_BITS >> 19, large: INFINITY_BITS >> 17, narrow: 4096 }
/** So many values of all searches of a pass are listed at most. */
const mostListed = 2 ** 22
/** A tensor of so many chunks is small. */
const smallChunks = 4
/** By so many times the deviation of a sample's counts its threshold has to be inside of those that equal it, to be worth a try. */
const mostDeviations = 2

/**
 * Finds order statistics, exactly; all searches share their passes. A sample of a large tensor tells where to look. Differences of
 * bf16 numbers have few distinct values: where the sample's own threshold is a common one, a pass that only counts what is larger
 * and what equals it proves it right. For the others, that pass counts the patterns near the threshold in bins, which leaves
 * one bin, and another counts the single patterns of that. Where the sample misled, there is a further pass.
 */
export async function selectRanks(
  tensor: StreamedTensor,
  searches: readonly Search[],
  keepTies: boolean,
): Promise<Found[]> {
  if (searches.length === 0) return []
  const planned = planPass(
    tensor,
    searches.map(({ value }) => value),
  )
  const { pass } = planned
  if (planned.isSampled) {
    const shares = searches.map(({ value, rank }) => ({ value, of: () => rank / tensor.elementCount }))
    // Of what is listed nobody can tell later where it is.
    const seen = await lookAtSample(planned, shares, !keepTies)
    const rare = seen.filter(({ likely }) => likely === undefined)
    const listed = rare.reduce((sum, { window }) => sum + (window?.share ?? Infinity), 0) * tensor.elementCount
    const sought = searches.map((search, i) => {
      const { window, ...others } = seen[i]!
      return { ...others, rank: search.rank, ...(listed <= mostListed && { window }) }
    })
    return searchBrackets({ ...pass, withoutTies: !keepTies }, sought, coarseBins.large)
  }
  const everywhere = searches.map((search) => ({ ...search, bracket: EVERYTHING }))
  const bins = pass.ranges.length <= smallChunks ? coarseBins.small : coarseBins.large
  return searchBrackets({ ...pass, withoutTies: !keepTies }, everywhere, bins)
}

/** A pass over values. */
export interface PlannedPass {
  readonly pass: Pass
  /** Whether a sample is worth a look before. */
  readonly isSampled: boolean
  /** What the values follow from. */
  readonly lowered: Lowered
}

export function planPass(tensor: StreamedTensor, values: readonly Operand[]): PlannedPass {
  const reductions = values.map((value) => ({ reduce: 'sum', per: 'tensor', value }) as const)
  const lowered = lower({ reductions }, tensor.inputDtypes)
  const columns = matrixColumns(lowered, tensor.shape)
  const wholeRows = needsWholeRows(lowered.program)
  const ranges = planChunks(tensor.elementCount, columns, wholeRows)
  return { pass: { tensor, columns, ranges }, isSampled: ranges.length > smallChunks && !wholeRows, lowered }
}

/** What to look for in a sample: a fraction of all elements, which may depend on how many are 0. */
export interface Sampled {
  readonly value: Operand
  of(zeros: number): number
}

/** What a sample tells of where to look. */
export interface Seen extends Pick<Sought, 'value' | 'bracket' | 'likely'> {
  /** Where it almost certainly is, if that was asked for and can be told. */
  readonly window?: Window | undefined
  /** Of those of the sample that equal the likely threshold, the fraction that is among the largest. */
  readonly partOfEqual: number
}

/**
 * Finds for each a bracket that holds the threshold with high probability, and the threshold itself where it is a common value.
 * @param looksForWindows whether a window is wanted, too
 */
export async function lookAtSample(
  planned: PlannedPass,
  searches: readonly Sampled[],
  looksForWindows = false,
): Promise<Seen[]> {
  const { values, ...pass } = gatherSample(
    planned,
    searches.map(({ value }) => value),
  )
  const size = rangeElements(pass.ranges)
  const ofSample = searches.map(({ value }) => ({ value: values.get(value)!, rank: 1, bracket: EVERYTHING }))
  // Searches for several ranks of a value share its counts.
  const different = [...new Map(ofSample.map((search) => [search.value, search])).values()]
  const told = await countCoarsely(pass, different, coarseBins.sample)
  const countsOfValue = new Map(different.map(({ value }, i) => [value, trimCounts(countsOf(told[i]!))]))
  const counted = ofSample.map(({ value }) => countsOfValue.get(value)!)
  const fractions = searches.map(({ of }, i) => of(counted[i]!.zeros / size))
  const placed = ofSample.map((search, i) => {
    const fraction = fractions[i]!
    const rank = Math.min(Math.max(1, Math.round(fraction * size)), size)
    const inside = mostDeviations * Math.sqrt(size * fraction * (1 - fraction))
    return { ...search, rank, inside, bracket: placeAmong(counted[i]!, rank, size) }
  })
  // Where all that share a bin with it are too few for a common value, it is none.
  const common = placed.filter(({ bracket, inside }) => bracket.equal >= 2 * inside)
  const thresholds = await countFinely(pass, common)
  return searches.map(({ value }, i) => {
    const { rank, inside } = placed[i]!
    const seen = {
      value,
      bracket: guess(counted[i]!, size, fractions[i]!),
      ...(looksForWindows && { window: narrowWindow(counted[i]!, size, fractions[i]!) }),
    }
    const found = thresholds.get(placed[i]!)
    if (found === undefined) return { ...seen, partOfEqual: 0 }
    const { threshold, above, equal } = found
    const isLikely = Math.min(rank - above, above + equal - rank) >= inside && threshold < Infinity
    return { ...seen, partOfEqual: (rank - above) / equal, ...(isLikely && { likely: threshold }) }
  })
}

/** Gathers a sample as a matrix, and values of it in the place of those of the tensor. */
function gatherSample(
  { pass: { tensor, columns, ranges: chunks }, lowered: { program, vectors } }: PlannedPass,
  values: readonly Operand[],
): Pass & { readonly values: ReadonlyMap<Operand, Operand> } {
  const unit = vectors.length === 0 || program.vectors.includes('column') ? undefined : unitOfRows(columns)
  const [numbers, ...others] = vectors
  const goesByRows = unit !== undefined && numbers !== undefined && others.length === 0 && numbers.length < ROW_LIMIT
  const ranges = goesByRows ? sampleByRows(numbers, columns, unit) : sampleRanges(chunks, unit)
  const gathered = new Map(values.map((value) => [value, gatherVectors(value, ranges, { columns, unit })]))
  return { tensor, ranges, gathered: true, columns: unit ?? rangeElements(ranges), values: gathered }
}

/** A search of which more is known after each pass. */
interface Seeking extends Search {
  bracket: Bracket
  likely?: number | undefined
  window?: Window | undefined
  place?: Place
  found?: Found
}

async function searchBrackets(pass: Pass, searches: readonly Sought[], coarse: number): Promise<Found[]> {
  const size = rangeElements(pass.ranges)
  const sought = searches.map((search): Seeking => ({ ...search }))
  const isWide = ({ bracket, place, found }: Seeking) =>
    found === undefined && (place === undefined || bracket.hi - bracket.lo > fineBins.all)
  for (let passes = 0; sought.some(isWide); passes++) {
    if (passes > 8) throw unstable()
    const wide = sought.filter(isWide)
    const isNarrow = wide.every(
      ({ likely, bracket: { lo, hi } }) => likely !== undefined || hi - lo <= coarseBins.narrow * fineBins.all,
    )
    const told = await countCoarsely(pass, wide, isNarrow ? coarseBins.narrow : coarse)
    wide.forEach((search, i) => {
      const what = told[i]!
      search.likely = search.window = undefined
      if (what.kind === 'threshold') search.found = what
      if (what.kind === 'counts') search.bracket = search.place = placeAmong(what.counts, search.rank, size)
    })
  }
  const open = sought.filter(
    ({ rank, place, found }) =>
      found === undefined && (place!.hi - place!.lo > 1 || (!pass.withoutTies && rank < place!.above + place!.equal)),
  )
  const exact = await countFinely(pass, open)
  return sought.map((search) => {
    const { place, found = exact.get(search) } = search
    return found ?? { threshold: numberOf(place!.lo), above: place!.above, equal: place!.equal }
  })
}

function countsOf(told: Told): Counts & { readonly zeros: number } {
  if (told.kind !== 'counts') throw unstable()
  return told.counts
}

/** Zeros, the one number that abounds in differences of models, are counted apart, so that a bracket need not reach down to them. */
function placeAmong(counts: Counts & { readonly zeros: number }, rank: number, size: number): Place {
  const above = size - counts.zeros
  return rank > above ? { lo: 0, hi: 1, above, equal: counts.zeros } : place(counts, rank)
}
