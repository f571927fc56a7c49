import { TensorError } from '../../errors.ts'
import {
  and,
  before,
  eq,
  type Expression,
  lt,
  type Mask,
  ne,
  not,
  type Operand,
  select,
} from '../../language/operations.ts'
import { lower } from '../../program/lower.ts'
import { matrixColumns } from '../../program/matrix-columns.ts'
import { usedInputs } from '../../program/requirements.ts'
import { CHUNK_ELEMENTS, joinRanges, rangeElements } from '../chunks.ts'
import type { Found } from './searches.ts'
import { selectRanks } from './select-ranks.ts'
import type { StreamedTensor } from '../stage.ts'

/** Finds what `Session.kthLargest` asks for. */
export async function kthLargest(
  tensor: StreamedTensor,
  value: Expression,
  ranks: readonly number[],
): Promise<number[]> {
  for (const rank of ranks) {
    if (!Number.isInteger(rank) || rank < 1 || rank > tensor.elementCount) {
      throw new TensorError({
        code: 'number-range',
        what: 'a rank',
        value: rank,
        expected: `a whole number from 1 to ${tensor.elementCount}`,
      })
    }
  }
  const found = await selectRanks(
    tensor,
    ranks.map((rank) => ({ value, rank })),
    false,
  )
  return found.map(({ threshold }) => threshold)
}

/** Makes the masks that `Session.largest` asks for. */
export async function largest<R extends Record<string, { readonly value: Operand; readonly k: number }>>(
  tensor: StreamedTensor,
  requests: R,
): Promise<{ [K in keyof R]: Mask }> {
  const { elementCount } = tensor
  const masks = new Map<string, Mask>()
  const searches: { readonly name: string; readonly value: Operand; readonly rank: number }[] = []
  for (const [name, { value, k }] of Object.entries(requests)) {
    if (Number.isNaN(k))
      throw new TensorError({ code: 'number-range', what: `k of ${name}`, value: k, expected: 'a whole number' })
    if (k < 1) masks.set(name, before(0))
    else if (k >= elementCount) masks.set(name, before(elementCount))
    else searches.push({ name, value, rank: Math.floor(k) })
  }
  const found = await selectRanks(tensor, searches, true)
  await Promise.all(
    searches.map(async ({ name, value, rank }, i) => {
      const { threshold } = found[i]!
      const end = await cutTies(tensor, value, rank, found[i]!)
      masks.set(name, largestMask(value, threshold, end))
    }),
  )
  return Object.fromEntries(Object.keys(requests).map((name) => [name, masks.get(name)])) as { [K in keyof R]: Mask }
}

/** NaN, more than the threshold, or equal to it before `end`. */
export function largestMask(value: Operand, threshold: number, end: number): Mask {
  if (Number.isNaN(threshold)) return and(ne(value, value), before(end))
  if (threshold === Infinity) return and(not(lt(value, Infinity)), not(and(eq(value, Infinity), not(before(end)))))
  return not(lt(value, select(before(end), threshold, nextFloat(threshold))))
}

/** A single element is looked for at once among so many, counted in all inputs that tell it: a runtime need not have more than a few megabytes. */
const locatedAtOnce = 8 * CHUNK_ELEMENTS

/** Finds the flat index behind the last of the values equal to the threshold that belong to the k largest. */
export async function cutTies(
  tensor: StreamedTensor,
  value: Operand,
  rank: number,
  { threshold, above, equal, ties }: Found,
): Promise<number> {
  const needed = rank - above
  if (needed === equal) return tensor.elementCount
  const mask = () => (Number.isNaN(threshold) ? ne(value, value) : eq(value, threshold))
  const group = reach(ties?.map(({ count }) => count) ?? [], needed)
  let { ranges } = ties![group.index]!
  let { before: passed } = group
  const locate = () => lower({ locate: [{ mask: mask(), nth: needed - passed - 1 }] }, tensor.inputDtypes)
  let located = locate()
  if (rangeElements(ranges) * usedInputs(located.program).length <= locatedAtOnce)
    ranges = joinRanges(ranges, locatedAtOnce)
  if (ranges.length > 1) {
    const lowered = lower({ reductions: [{ reduce: 'sum', per: 'tensor', value: mask() }] }, tensor.inputDtypes)
    const counts = new Float64Array(ranges.length)
    await tensor.runStage(
      { ...lowered, columns: matrixColumns(lowered, tensor.shape), ranges, groupSize: 1 },
      (index, [part]) => {
        counts[index] = part![0]!
      },
    )
    const range = reach(counts, needed - passed)
    passed += range.before
    ranges = [ranges[range.index]!]
    located = locate()
  }
  let last = -1
  await tensor.runStage(
    { ...located, columns: matrixColumns(located, tensor.shape), ranges, groupSize: 1 },
    (_, [index]) => {
      last = index![0]!
    },
  )
  if (last < 0) throw unstable()
  return last + 1
}

/** Finds the first count with which the sum of all up to it reaches `needed`, and the sum of those before it. */
function reach(counts: ArrayLike<number>, needed: number): { readonly index: number; readonly before: number } {
  let before = 0
  for (let index = 0; index < counts.length; index++) {
    if (before + counts[index]! >= needed) return { index, before }
    before += counts[index]!
  }
  throw unstable()
}

const unstable = () => new TensorError({ code: 'unstable', what: 'the values of which the largest were asked for' })

/** The next float32 above a finite one that isn't negative. */
function nextFloat(value: number): number {
  const float = Float32Array.of(value)
  new Uint32Array(float.buffer)[0]!++
  return float[0]!
}
