import { type Bracket, type Counts, numberOf, place, placeBins } from './bit-brackets.ts'
import type { ElementRange } from '../chunks.ts'
import { TensorError } from '../../errors.ts'
import { eq, type Expression, le, not, type Operand } from '../../language/operations.ts'
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

/** Single patterns that a fine pass counts. */
export const fineBins = 1024
/** Of how many groups of ranges a pass keeps the counts apart at most, to tell later where the ties are. */
const mostGroups = 32

export interface Pass {
  readonly tensor: StreamedTensor
  readonly columns: number
  readonly ranges: readonly ElementRange[]
}

interface Sought extends Search {
  readonly bracket: Bracket
}

const zero: Expression = { op: 'number', value: 0 }

/** Counts the patterns in a bracket in bins, and the zeros apart. */
export async function countCoarsely(
  { tensor, columns, ranges }: Pass,
  searches: readonly Sought[],
  bins: number,
): Promise<(Counts & { zeros: number })[]> {
  const totals = searches.map(({ bracket }) => ({
    ...placeBins(bracket, bins),
    counts: new Float64Array(bins + 2),
    zeros: 0,
  }))
  const lowered = lower(
    {
      reductions: searches.map(({ value }) => ({ reduce: 'sum', per: 'tensor', value: eq(value, zero) })),
      histograms: searches.map(({ value }, i) => ({ value, bins, lo: totals[i]!.lo, shift: totals[i]!.shift })),
    },
    tensor.inputDtypes,
  )
  await tensor.runStage({ ...lowered, columns, ranges, groupSize: ranges.length }, (_, result) => {
    totals.forEach((total, i) => {
      total.zeros += result[i]![0]!
      addTo(total.counts, result[searches.length + i]!)
    })
  })
  return totals
}

/** Counts single patterns from the start of a bracket that is no wider than `fineBins`, and thereby finds the threshold. */
export async function countFinely<S extends Sought>(
  { tensor, columns, ranges }: Pass,
  searches: readonly S[],
): Promise<Map<S, Found>> {
  if (searches.length === 0) return new Map()
  const groupSize = groupSizeOf(ranges)
  const parts = searches.map(({ bracket }) => ({
    lo: placeBins({ lo: bracket.lo, hi: bracket.lo }, fineBins).lo,
    counts: Array.from({ length: Math.ceil(ranges.length / groupSize) }, () => new Uint32Array(fineBins + 2)),
  }))
  const lowered = lower(
    { histograms: searches.map(({ value }, i) => ({ value, bins: fineBins, lo: parts[i]!.lo, shift: 0 })) },
    tensor.inputDtypes,
  )
  await tensor.runStage({ ...lowered, columns, ranges, groupSize }, (index, result) => {
    parts.forEach(({ counts }, i) => addTo(counts[Math.floor(index / groupSize)]!, result[i]!))
  })
  return new Map(
    searches.map((search, i) => {
      const { lo, counts } = parts[i]!
      const total = new Float64Array(fineBins + 2)
      for (const group of counts) addTo(total, group)
      const found = place({ lo, shift: 0, counts: total }, search.rank)
      if (found.hi - found.lo !== 1) throw unstable()
      const at = found.lo - lo === fineBins ? fineBins + 1 : found.lo - lo
      const ties = counts.map((group, g) => ({ count: group[at]!, ranges: groupOf(ranges, g, groupSize) }))
      return [search, { threshold: numberOf(found.lo), above: found.above, equal: found.equal, ties }]
    }),
  )
}

/**
 * Counts what is larger than the values that are likely thresholds, and what equals them.
 * @returns those searches whose threshold that proves
 */
export async function countLikely<S extends Search & { readonly likely?: number }>(
  { tensor, columns, ranges }: Pass,
  searches: readonly S[],
): Promise<Map<S, Found>> {
  const tried = searches.filter(({ likely }) => likely !== undefined)
  if (tried.length === 0) return new Map()
  const groupSize = groupSizeOf(ranges)
  const groupCount = Math.ceil(ranges.length / groupSize)
  const totals = tried.map(() => ({ above: 0, equal: new Float64Array(groupCount) }))
  const counted = tried.flatMap(({ value, likely }) => [not(le(value, likely!)), eq(value, likely!)])
  const lowered = lower(
    { reductions: counted.map((mask) => ({ reduce: 'sum', per: 'tensor', value: mask })) },
    tensor.inputDtypes,
  )
  await tensor.runStage({ ...lowered, columns, ranges, groupSize }, (index, result) => {
    totals.forEach((total, i) => {
      total.above += result[2 * i]![0]!
      total.equal[Math.floor(index / groupSize)]! += result[2 * i + 1]![0]!
    })
  })
  const proven = new Map<S, Found>()
  tried.forEach((search, i) => {
    const { above, equal: byGroup } = totals[i]!
    const equal = byGroup.reduce((sum, part) => sum + part, 0)
    if (search.rank <= above || search.rank > above + equal) return
    const ties = Array.from(byGroup, (part, group) => ({ count: part, ranges: groupOf(ranges, group, groupSize) }))
    proven.set(search, { threshold: search.likely!, above, equal, ties })
  })
  return proven
}

const groupSizeOf = (ranges: readonly ElementRange[]): number => Math.ceil(ranges.length / mostGroups)

const groupOf = (ranges: readonly ElementRange[], group: number, groupSize: number): readonly ElementRange[] =>
  ranges.slice(group * groupSize, (group + 1) * groupSize)

function addTo(total: Float64Array | Uint32Array, part: Float64Array | Uint32Array): void {
  for (let i = 0; i < total.length; i++) total[i] = total[i]! + part[i]!
}

export const unstable = () => new TensorError({ code: 'unstable', what: 'the values whose order was asked for' })
