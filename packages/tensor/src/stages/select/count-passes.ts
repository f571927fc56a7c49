import { type Bracket, type Counts, numberOf, place, placeBins, type Window } from './bit-brackets.ts'
import { type ElementRange, rangeElements } from '../chunks.ts'
import { TensorError } from '../../errors.ts'
import { eq, type Expression, le, type Mask, not, type Operand } from '../../language/operations.ts'
import { lower } from '../../program/lower.ts'
import type { StreamedTensor } from '../stage.ts'

/** The `rank`-th largest (from 1) of a value that isn't negative. */
export interface Search {
  readonly value: Operand
  readonly rank: number
}

export interface Found {
  /** NaN if the rank falls among the NaNs, which are larger than anything. */
  readonly threshold: number
  /** How many elements are larger than the threshold, and how many equal it. */
  readonly above: number
  readonly equal: number
  /** Where the equal ones are, ascending; present only where asked for and not all of them are among the `rank` largest. */
  readonly ties?: readonly { readonly count: number; readonly ranges: readonly ElementRange[] }[]
}

/** Single patterns that a fine pass counts: of all elements, and of a sample, which is so short that more are worth a pass. */
export const fineBins = { all: 1024, sample: 2 ** 16 }
/** Of how many groups of ranges a pass keeps the counts apart at most, to tell later where the ties are. */
const mostGroups = 32

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

/** A search that knows where to look. */
export interface Sought extends Search {
  readonly bracket: Bracket
  /** What is likely to be the threshold itself. */
  readonly likely?: number | undefined
  /** Where it is so likely to be, among so few, that these are worth a list. */
  readonly window?: Window | undefined
}

/** What a pass tells of a search: counts in bins, and of zeros; or the threshold, where what is likely is right, else nothing. */
export type Told =
  | { readonly kind: 'counts'; readonly counts: Counts & { readonly zeros: number } }
  | ({ readonly kind: 'threshold' } & Found)
  | { readonly kind: 'misled' }

const zero: Expression = { op: 'number', value: 0 }

/** One search in a pass: what is counted for it, and what comes of the counts. */
interface Tally {
  readonly masks: readonly Mask[]
  readonly histogram?: { readonly value: Operand; readonly bins: number; readonly lo: number; readonly shift: number }
  readonly collection?: { readonly value: Operand; readonly lo: number; readonly hi: number }
  /** @param part of its histogram or collection */
  add(group: number, counts: readonly number[], part: Counts['counts'] | undefined): void
  finish(): Told
}

/**
 * Counts for searches with a likely threshold what is larger and what equals it, which proves it right or wrong; for those with a window what is
 * below, and lists what is in it; for the others it counts the patterns in their bracket in bins, and the zeros apart. All of it is one pass.
 */
export async function countCoarsely(pass: Pass, searches: readonly Sought[], bins: number): Promise<Told[]> {
  const { tensor, ranges } = pass
  const proves = searches.some(({ likely }) => likely !== undefined)
  const lists = searches.some(({ likely, window }) => likely === undefined && window !== undefined)
  // Lists don't add up.
  const groupSize = lists ? 1 : proves ? groupSizeOf(pass) : ranges.length
  const tallies = searches.map((search) => {
    const { likely, window } = search
    if (likely !== undefined) return tallyLikely(search, likely, { ranges, groupSize })
    return window === undefined ? tallyBins(search, bins, pass.gathered) : tallyWindow(search, window, ranges)
  })
  const lowered = lower(
    {
      reductions: tallies.flatMap(({ masks }) => masks.map((value) => ({ reduce: 'sum', per: 'tensor', value }))),
      histograms: tallies.flatMap(({ histogram }) => histogram ?? []),
      collections: tallies.flatMap(({ collection }) => collection ?? []),
    },
    tensor.inputDtypes,
  )
  const histogramsFrom = tallies.reduce((sum, { masks }) => sum + masks.length, 0)
  const collectionsFrom = histogramsFrom + tallies.filter(({ histogram }) => histogram).length
  await tensor.runStage({ ...lowered, ...stageOf(pass), groupSize }, (index, result) => {
    let [mask, histogram, collection] = [0, histogramsFrom, collectionsFrom]
    for (const tally of tallies) {
      const counts = tally.masks.map(() => result[mask++]![0]!)
      const part = tally.histogram ? result[histogram++] : tally.collection && result[collection++]
      tally.add(Math.floor(index / groupSize), counts, part)
    }
  })
  return tallies.map((tally) => tally.finish())
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

/** Bins into which what a window lists is sorted, of which one is then looked at. */
const listBins = 4096

function tallyWindow({ value, rank }: Search, window: Bracket, ranges: readonly ElementRange[]): Tally {
  const lists: Counts['counts'][] = []
  let below = 0
  let listed = 0
  return {
    masks: [],
    collection: { value, lo: window.lo, hi: window.hi },
    add(_, __, part) {
      below += part![0]!
      listed += part!.length - 1
      lists.push(part!)
    },
    finish() {
      const above = rangeElements(ranges) - below - listed
      if (rank <= above || rank > above + listed) return { kind: 'misled' }
      return { kind: 'threshold', ...selectListed(lists, window, { rank, above }) }
    },
  }
}

/** Finds an order statistic among listed patterns, each list after a number that is none of them. @param above how many elements are larger than all */
function selectListed(
  lists: readonly Counts['counts'][],
  window: Bracket,
  { rank, above }: { readonly rank: number; readonly above: number },
): Found {
  const { lo, shift } = placeBins(window, listBins)
  const counts = new Float64Array(listBins + 2)
  for (const list of lists) for (let i = 1; i < list.length; i++) counts[(list[i]! - lo) >>> shift]!++
  const bin = place({ lo, shift, counts }, rank - above)
  const inBin: number[] = []
  for (const list of lists)
    for (let i = 1; i < list.length; i++) if (list[i]! >= bin.lo && list[i]! < bin.hi) inBin.push(list[i]!)
  const sorted = Uint32Array.from(inBin).sort().reverse()
  const pattern = sorted[rank - above - bin.above - 1]!
  const first = sorted.indexOf(pattern)
  return {
    threshold: numberOf(pattern),
    above: above + bin.above + first,
    equal: sorted.lastIndexOf(pattern) + 1 - first,
  }
}

/** Counts single patterns from the start of a bracket that is no wider than a fine pass covers, and thereby finds the threshold. */
export async function countFinely<S extends Sought>(pass: Pass, searches: readonly S[]): Promise<Map<S, Found>> {
  if (searches.length === 0) return new Map()
  const { tensor, ranges, gathered } = pass
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
      const found = place({ lo, shift: 0, counts: total }, search.rank)
      if (found.hi - found.lo !== 1) throw unstable()
      const at = found.lo - lo === bins ? bins + 1 : found.lo - lo
      const ties = counts.map((group, g) => ({ count: group![at]!, ranges: groupOf(ranges, g, groupSize) }))
      return [search, { threshold: numberOf(found.lo), above: found.above, equal: found.equal, ties }]
    }),
  )
}

const groupSizeOf = ({ ranges, gathered, withoutTies }: Pass): number =>
  gathered || withoutTies ? ranges.length : Math.ceil(ranges.length / mostGroups)

const groupOf = (ranges: readonly ElementRange[], group: number, groupSize: number): readonly ElementRange[] =>
  ranges.slice(group * groupSize, (group + 1) * groupSize)

function addTo(total: Float64Array | Uint32Array, part: ArrayLike<number>): void {
  for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!
}

export const unstable = () => new TensorError({ code: 'unstable', what: 'the values whose order was asked for' })
