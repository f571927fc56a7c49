import { eq, type Expression, gt, le, type Mask, not } from '../../language/operations.ts'
import { sum } from '../../language/reductions.ts'
import { lower } from '../../program/lower.ts'
import { createFold, reduce } from '../reduce.ts'
import type { StreamedTensor } from '../stage.ts'
import type { Pass } from './count-passes.ts'
import type { Found } from './searches.ts'
import { cutTies, largest, largestMask } from './largest.ts'
import { lookAtSample, planPass, type Seen } from './select-ranks.ts'

/** What `Session.largestShare` is asked for. */
interface ShareRequest {
  readonly value: Expression
  readonly share: number
}

type Summed = (mask: Mask) => readonly Expression[]

interface Selected {
  readonly mask: Mask
  readonly sums: readonly number[]
}

const sumOf = (value: Expression | Mask) => sum(value, 'tensor')

/** Carries out `Session.largestShare`. */
export async function largestShare(tensor: StreamedTensor, request: ShareRequest, summed: Summed): Promise<Selected> {
  const { value, share } = request
  const planned = planPass(tensor, [value])
  const [seen] = planned.isSampled ? await lookAtSample(planned, [{ value, of: (zeros) => share * (1 - zeros) }]) : []
  const tried =
    seen?.likely === undefined
      ? undefined
      : await sumAtOnce(planned.pass, request, { ...seen, likely: seen.likely }, summed)
  if (tried !== undefined && 'mask' in tried) return tried
  const { positive } = tried ?? (await reduce(tensor, { positive: sumOf(gt(value, 0)) }))
  const { mask } = await largest(tensor, { mask: { value, k: Math.trunc(positive * share) } })
  const sums = await reduce(tensor, Object.fromEntries(summed(mask).map((each, i) => [i, sumOf(each)] as const)))
  return { mask, sums: Object.values(sums) }
}

/**
 * Counts what proves or disproves the likely threshold, and adds up what belongs to the mask that it and the sample make likely. Of the
 * elements that equal the threshold those in front are among the largest: where they end otherwise than the sample told, the chunks in
 * between are added up again.
 */
async function sumAtOnce(
  { tensor, columns, ranges }: Pass,
  { value, share }: ShareRequest,
  { likely, partOfEqual }: Seen & { readonly likely: number },
  summed: Summed,
): Promise<Selected | { readonly positive: number }> {
  const guessed = Math.round(partOfEqual * tensor.elementCount)
  const sumsOf = (end: number) => summed(largestMask(value, likely, end)).map(sumOf)
  const counts = [gt(value, 0), not(le(value, likely)), eq(value, likely)].map(sumOf)
  const sums = sumsOf(guessed)
  const ofCounts = counts.map((each) => createFold(each, ranges, 0, columns))
  const ofSums = sums.map((each) => createFold(each, ranges, 0, columns))
  const equalOf = new Float64Array(ranges.length)
  const lowered = lower({ reductions: [...counts, ...sums] }, tensor.inputDtypes)
  await tensor.runStage({ ...lowered, columns, ranges, groupSize: 1 }, (index, result) => {
    equalOf[index] = result[2]![0]!
    ;[...ofCounts, ...ofSums].forEach((fold, i) => fold.add(index, result[i] as Float64Array))
  })
  const [positive, above, equal] = ofCounts.map((fold) => fold.finish()) as [number, number, number]
  const rank = Math.trunc(positive * share)
  if (rank <= above || rank > above + equal) return { positive }
  const ties = Array.from(equalOf, (count, index) => ({ count, ranges: [ranges[index]!] }))
  const found: Found = { threshold: likely, above, equal, ties }
  const end = await cutTies(tensor, value, rank, found)
  const between = (index: number): boolean => {
    const { start, end: rangeEnd } = ranges[index]!
    return equalOf[index]! > 0 && start < Math.max(end, guessed) && rangeEnd > Math.min(end, guessed)
  }
  const again = [...ranges.keys()].filter(between)
  if (again.length > 0) {
    const right = lower({ reductions: sumsOf(end) }, tensor.inputDtypes)
    const rangesAgain = again.map((index) => ranges[index]!)
    await tensor.runStage({ ...right, columns, ranges: rangesAgain, groupSize: 1 }, (index, result) =>
      ofSums.forEach((fold, i) => fold.add(again[index]!, result[i] as Float64Array)),
    )
  }
  return { mask: largestMask(value, likely, end), sums: ofSums.map((fold) => fold.finish() as number) }
}
