import { type Counts, numberOf, placeBins, placeUpwards } from './bit-brackets.ts'
import { type ElementRange, rangeElements } from '../chunks.ts'
import { TensorError } from '../../errors.ts'
import { createListings } from './listings.ts'
import { eq, type Expression, le, type Mask, not, type Operand } from '../../language/operations.ts'
import { lower } from '../../program/lower.ts'
import type { Found, Search, Sought, Told } from './searches.ts'
import type { StreamedTensor } from '../stage.ts'

/** Single patterns that a fine pass counts: of all elements, and of a sample, which is so short that more are worth a pass. */
export const fineBins = { all: 1024, sample: 2 ** 16 }
/** Of how many groups of ranges a pass keeps the counts apart, to tell later where the ties are: one group is what is read once more. */
const groups = { fewest: 8, most: 32 }
/** A call covers a part of one group, and of as many chunks, as a rule: groups are multiples of that, since smaller ones cost calls. */
const chunksOfCall = 4
/** Where there would be too few groups. */
const chunksOfSmallGroup = 2

export interface Pass {
  readonly tensor: StreamedTensor
  readonly columns: number
  readonly ranges: readonly ElementRange[]
  /** The ranges are a sample, seen as one matrix. */
  readonly gathered?: true
  /** Nobody asks where the elements are that equal a threshold. */
  readonly withoutTies?: boolean
}

/** The part of a stage that follows from its pass. */
const stageOf = ({ columns, ranges, gathered }: Pass) => ({ columns, ranges, ...(gathered && { gathered }) })

const zero: Expression = { op: 'number', value: 0 }

/** One search in a pass: what is counted for it, and what comes of the counts. */
interface Tally {
  readonly masks: readonly Mask[]
  readonly histogram?: { readonly value: Operand; readonly bins: number; readonly lo: number; readonly shift: number }
  add(group: number, counts: readonly number[], bins: Counts['counts'] | undefined): void
  finish(): Told
}

/**
 * Counts for searches with a likely threshold what is larger and what equals it, which proves it right or wrong; for those with a window what is
 * below, and lists what is in it; for the others it counts the patterns in their bracket in bins, and the zeros apart. All of it is one pass.
 */
export async function countCoarsely(pass: Pass, searches: readonly Sought[], bins: number): Promise<Told[]> {
  const { tensor, ranges } = pass
  const proves = searches.some(({ likely }) => likely !== undefined)
  const listings = createListings(searches.filter(({ likely }) => likely === undefined))
  // Lists don't add up.
  const groupSize = listings.size > 0 ? 1 : proves ? groupSizeOf(pass) : ranges.length
  const tallies = searches.map((search): Tally | undefined => {
    const { likely, window } = search
    if (likely !== undefined) return tallyLikely(search, likely, { ranges, groupSize })
    return window === undefined ? tallyBins(search, bins, pass.gathered) : undefined
  })
  const counting = tallies.filter((tally) => tally !== undefined)
  const lowered = lower(
    {
      reductions: counting.flatMap(({ masks }) => masks.map((value) => ({ reduce: 'sum', per: 'tensor', value }))),
      histograms: counting.flatMap(({ histogram }) => histogram ?? []),
      collections: [...listings.values()].map(({ collection }) => collection),
    },
    tensor.inputDtypes,
  )
  const histogramsFrom = counting.reduce((sum, { masks }) => sum + masks.length, 0)
  const listsFrom = histogramsFrom + counting.filter(({ histogram }) => histogram !== undefined).length
  await tensor.runStage({ ...lowered, ...stageOf(pass), groupSize }, (index, result) => {
    let [mask, histogram, list] = [0, histogramsFrom, listsFrom]
    for (const tally of counting) {
      const counts = tally.masks.map(() => result[mask++]![0]!)
      tally.add(Math.floor(index / groupSize), counts, tally.histogram && result[histogram++])
    }
    for (const listing of listings.values()) listing.add(result[list++] as Uint32Array)
  })
  const size = rangeElements(ranges)
  const listed = searches.filter((_, i) => tallies[i] === undefined)
  const found = new Map<Sought, Told>()
  for (const [value, listing] of listings) {
    const own = listed.filter((search) => search.value === value)
    listing.find(own, size).forEach((told, i) => found.set(own[i]!, told))
  }
  return searches.map((search, i) => tallies[i]?.finish() ?? found.get(search)!)
}

function tallyBins({ value, bracket }: Sought, bins: number, isOneResult = false): Tally {
  const place = placeBins(bracket, bins)
  let counts: Counts['counts'] | undefined
  let zeros = 0
  return {
    masks: [eq(value, zero)],
    histogram: { value, bins, ...place },
    add(_, [count], part) {
      zeros += count!
      if (isOneResult) counts = part!
      else addTo((counts ??= new Float64Array(bins + 2)), part!)
    },
    finish: () => ({ kind: 'counts', counts: { ...place, counts: counts!, zeros } }),
  }
}

function tallyLikely(
  { value, rank }: Search,
  threshold: number,
  { ranges, groupSize }: { readonly ranges: readonly ElementRange[]; readonly groupSize: number },
): Tally {
  const byGroup = new Float64Array(Math.ceil(ranges.length / groupSize))
  let above = 0
  return {
    masks: [not(le(value, threshold)), eq(value, threshold)],
    add(group, [larger, same]) {
      above += larger!
      byGroup[group]! += same!
    },
    finish() {
      const equal = byGroup.reduce((sum, part) => sum + part, 0)
      if (rank <= above || rank > above + equal) return { kind: 'misled' }
      const ties = Array.from(byGroup, (count, group) => ({ count, ranges: groupOf(ranges, group, groupSize) }))
      return { kind: 'threshold', threshold, above, equal, ties }
    },
  }
}

/** Counts single patterns from the start of a bracket that is no wider than a fine pass covers, and thereby finds the threshold. */
export async function countFinely<S extends Sought>(pass: Pass, searches: readonly S[]): Promise<Map<S, Found>> {
  if (searches.length === 0) return new Map()
  const { tensor, ranges, gathered } = pass
  const size = rangeElements(ranges)
  const groupSize = groupSizeOf(pass)
  const bins = fineBins[gathered ? 'sample' : 'all']
  const parts = searches.map(({ bracket }) => ({
    lo: placeBins({ lo: bracket.lo, hi: bracket.lo }, bins).lo,
    counts: Array.from({ length: Math.ceil(ranges.length / groupSize) }, (): Counts['counts'] | undefined => undefined),
  }))
  const lowered = lower(
    { histograms: searches.map(({ value }, i) => ({ value, bins, lo: parts[i]!.lo, shift: 0 })) },
    tensor.inputDtypes,
  )
  await tensor.runStage({ ...lowered, ...stageOf(pass), groupSize }, (index, result) => {
    const group = Math.floor(index / groupSize)
    parts.forEach(({ counts }, i) => {
      const known = counts[group]
      // What comes is the session's.
      if (known === undefined) counts[group] = result[i]!
      else addTo(known, result[i]!)
    })
  })
  return new Map(
    searches.map((search, i) => {
      const { lo, counts } = parts[i]!
      const total = counts.length === 1 ? counts[0]! : new Float64Array(bins + 2)
      if (counts.length > 1) for (const group of counts) addTo(total, group!)
      const found = placeUpwards({ lo, shift: 0, counts: total }, search.rank, size)
      if (found.hi - found.lo !== 1) throw unstable()
      const at = found.lo - lo === bins ? bins + 1 : found.lo - lo
      const ties = counts.map((group, g) => ({ count: group![at]!, ranges: groupOf(ranges, g, groupSize) }))
      return [search, { threshold: numberOf(found.lo), above: found.above, equal: found.equal, ties }]
    }),
  )
}

function groupSizeOf({ ranges, gathered, withoutTies }: Pass): number {
  if (gathered || withoutTies) return ranges.length
  return ranges.length < groups.fewest * chunksOfCall
    ? chunksOfSmallGroup
    : chunksOfCall * Math.ceil(ranges.length / (groups.most * chunksOfCall))
}

const groupOf = (ranges: readonly ElementRange[], group: number, groupSize: number): readonly ElementRange[] =>
  ranges.slice(group * groupSize, (group + 1) * groupSize)

function addTo(total: Float64Array | Uint32Array, part: ArrayLike<number>): void {
  for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!
}

export const unstable = () => new TensorError({ code: 'unstable', what: 'the values whose order was asked for' })
