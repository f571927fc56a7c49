import { type Bracket, type Counts, EVERYTHING, guess, numberOf, place, type Place, placeBins } from './bit-brackets.ts'
import { type ElementRange, planChunks } from './chunks.ts'
import { TensorError } from './errors.ts'
import { eq, type Expression, type Operand } from './expression.ts'
import { lower } from './lower.ts'
import { INFINITY_BITS } from './numerics.ts'
import { matrixColumns, needsWholeRows } from './program-facts.ts'
import { sampleRanges } from './sample-ranges.ts'
import type { StreamedTensor } from './stage.ts'

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

/**
 * How finely a pass counts. Where nothing is known, `coarse` bins cover all up to infinity: 2^19 patterns each in a sample and in
 * a small tensor, which is cheap to read again, 2^17 in a large one. `narrow` bins do for a bracket that they leave no wider than
 * `fine`. `fine` bins are single patterns; they are kept for each of at most `groups` groups of ranges, to tell later where the
 * ties are.
 */
const resolutions = { sample: INFINITY_BITS >> 19, large: INFINITY_BITS >> 17, narrow: 4096, fine: 1024, groups: 32 }
/** A tensor of so many chunks is small. */
const smallChunks = 4

/**
 * Order statistics, exactly; all searches share their passes. A sample of a large tensor tells where to look. A pass over
 * all elements counts the patterns there in bins, which leaves one bin, and another counts the single patterns of that.
 * Where the sample misled, there is a further pass. Zeros, the one number that abounds in differences of models, are
 * counted apart, so that a bracket need not reach down to them.
 */
export async function selectRanks(tensor: StreamedTensor, searches: readonly Search[], keepTies: boolean): Promise<Found[]> {
  if (searches.length === 0) return []
  const { elementCount } = tensor
  const all = lower({ reductions: searches.map(({ value }) => ({ reduce: 'sum', along: 'tensor', value })) }, tensor.inputDtypes)
  const columns = matrixColumns(all, tensor.shape)
  const wholeRows = needsWholeRows(all.program)
  const ranges = planChunks(elementCount, columns, wholeRows)
  const { sample, large, narrow, fine } = resolutions
  const isSmall = ranges.length <= smallChunks
  const pass = { tensor, columns }

  let sought: (Search & { bracket: Bracket; found?: Place })[] = searches.map((search) => ({ ...search, bracket: EVERYTHING }))
  if (!isSmall && !wholeRows) {
    const counted = await countCoarsely({ ...pass, ranges: sampleRanges(ranges) }, sought, sample)
    sought = sought.map((search, i) => ({ ...search, bracket: guess(counted[i]!, search.rank / elementCount) }))
  }
  const isWide = ({ bracket, found }: (typeof sought)[number]) => found === undefined || bracket.hi - bracket.lo > fine
  for (let passes = 0; sought.some(isWide); passes++) {
    if (passes > 8) throw unstable()
    const wide = sought.filter(isWide)
    const isNarrow = wide.every(({ bracket: { lo, hi } }) => hi - lo <= narrow * fine)
    const counted = await countCoarsely({ ...pass, ranges }, wide, isNarrow ? narrow : isSmall ? sample : large)
    wide.forEach((search, i) => {
      const { zeros } = counted[i]!
      const above = elementCount - zeros
      search.found = search.rank > above ? { lo: 0, hi: 1, above, equal: zeros } : place(counted[i]!, search.rank)
      search.bracket = search.found
    })
  }
  const open = sought.filter(({ rank, found }) => found!.hi - found!.lo > 1 || (keepTies && rank < found!.above + found!.equal))
  const exact = await countFinely({ ...pass, ranges }, open)
  return sought.map((search) => exact.get(search) ?? { threshold: numberOf(search.found!.lo), above: search.found!.above, equal: search.found!.equal })
}

interface Pass {
  readonly tensor: StreamedTensor
  readonly columns: number
  readonly ranges: readonly ElementRange[]
}

type Sought = Search & { readonly bracket: Bracket }

const zero: Expression = { op: 'number', value: 0 }

async function countCoarsely({ tensor, columns, ranges }: Pass, searches: readonly Sought[], bins: number): Promise<(Counts & { zeros: number })[]> {
  const totals = searches.map(({ bracket }) => ({ ...placeBins(bracket, bins), counts: new Float64Array(bins + 2), zeros: 0 }))
  const lowered = lower({
    reductions: searches.map(({ value }) => ({ reduce: 'sum', along: 'tensor', value: eq(value, zero) })),
    histograms: searches.map(({ value }, i) => ({ value, bins, lo: totals[i]!.lo, shift: totals[i]!.shift })),
  }, tensor.inputDtypes)
  await tensor.runStage({ ...lowered, columns, ranges, groupSize: ranges.length }, (_, result) => {
    totals.forEach((total, i) => {
      total.zeros += result[i]![0]!
      addTo(total.counts, result[searches.length + i]!)
    })
  })
  return totals
}

async function countFinely<S extends Sought>({ tensor, columns, ranges }: Pass, searches: readonly S[]): Promise<Map<S, Found>> {
  if (searches.length === 0) return new Map()
  const { fine, groups } = resolutions
  const groupSize = Math.ceil(ranges.length / groups)
  const parts = searches.map(({ bracket }) => ({
    lo: placeBins({ lo: bracket.lo, hi: bracket.lo }, fine).lo,
    counts: Array.from({ length: Math.ceil(ranges.length / groupSize) }, () => new Uint32Array(fine + 2)),
  }))
  const lowered = lower({ histograms: searches.map(({ value }, i) => ({ value, bins: fine, lo: parts[i]!.lo, shift: 0 })) }, tensor.inputDtypes)
  await tensor.runStage({ ...lowered, columns, ranges, groupSize }, (index, result) => {
    parts.forEach(({ counts }, i) => addTo(counts[Math.floor(index / groupSize)]!, result[i]!))
  })
  return new Map(searches.map((search, i) => {
    const { lo, counts } = parts[i]!
    const total = new Float64Array(fine + 2)
    for (const group of counts) addTo(total, group)
    const found = place({ lo, shift: 0, counts: total }, search.rank)
    if (found.hi - found.lo !== 1) throw unstable()
    const at = found.lo - lo === fine ? fine + 1 : found.lo - lo
    const ties = counts.map((group, g) => ({ count: group[at]!, ranges: ranges.slice(g * groupSize, (g + 1) * groupSize) }))
    return [search, { threshold: numberOf(found.lo), above: found.above, equal: found.equal, ties }]
  }))
}

function addTo(total: Float64Array | Uint32Array, part: Float64Array | Uint32Array): void {
  for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!
}

const unstable = () => new TensorError({ code: 'unstable', what: 'the values whose order was asked for' })
