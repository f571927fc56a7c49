import { issueErrorOf } from '@mk/errors'
import { elementCount } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import type { MergePlan, TensorShare } from '../plan/merge-plan.ts'
import { planCost, type TensorCost } from '../plan/plan-cost.ts'

/** Which of how many parts: from 1 on. */
export interface PartNumber {
  readonly part: number
  readonly of: number
}

/** A tensor that a part makes, all of it or a share. */
export interface PartTensor {
  /** Index in the plan. */
  readonly tensor: number
  readonly share?: TensorShare
}

/** A part of a merge, and what it takes. */
export interface PlannedPart extends PartNumber {
  readonly tensors: readonly PartTensor[]
  /** Of inputs, each read once. */
  readonly readBytes: number
  readonly writtenBytes: number
  /** What the parts are balanced by: bytes that are read, as often as they are gone through, and written. */
  readonly cost: number
}

/** Smaller tensors are not shared: their shares would take longer to begin than to make. */
const leastSharedElements = 2 ** 20

/**
 * Divides a merge into parts of about the same cost. Each is a run of consecutive tensors, so that it reads and writes few files; a large
 * tensor that is gone through once is shared between neighbors, any other belongs to the part that its middle lies in. So no part costs
 * more than its equal share and one tensor; parts of which there are too many are empty.
 */
export async function listParts({ plan }: { readonly plan: MergePlan }, of: number): Promise<readonly PlannedPart[]> {
  checkPart({ part: 1, of })
  const { tensors: costs } = await planCost(plan, { threads: 1 }).catch(refuseParameters)
  const sums = [0]
  for (const cost of costs) sums.push(sums.at(-1)! + costOf(cost))
  const total = sums.at(-1)!
  const isShared = plan.tensors.map(
    ({ shape, operation }, index) =>
      costs[index]!.passes === 1 &&
      elementCount(shape) >= leastSharedElements &&
      operation.kind !== 'factors' &&
      operation.kind !== 'other-factor',
  )
  const parts = Array.from({ length: of }, (_, index) => ({
    part: index + 1,
    of,
    tensors: [] as PartTensor[],
    readBytes: 0,
    writtenBytes: 0,
    cost: 0,
  }))
  const boundary = (part: number) => (total * part) / of
  const partAt = (position: number) => Math.min(of - 1, Math.floor((position / total) * of))
  const add = (part: number, tensor: number, { from, to }: TensorShare) => {
    const { readBytes, writtenBytes } = costs[tensor]!
    const into = parts[part]!
    into.tensors.push(from === 0 && to === 1 ? { tensor } : { tensor, share: { from, to } })
    into.readBytes += readBytes * (to - from)
    into.writtenBytes += writtenBytes * (to - from)
    into.cost += costOf(costs[tensor]!) * (to - from)
  }
  let before = 0
  plan.tensors.forEach(({ operation }, tensor) => {
    const [start, end] = [sums[tensor]!, sums[tensor + 1]!]
    // Both factors of a module come of one computation, and lie side by side.
    if (operation.kind === 'other-factor') return add(before, tensor, whole)
    before = total === 0 ? 0 : partAt((start + end) / 2)
    if (!isShared[tensor] || start === end) return add(before, tensor, whole)
    const cuts = [0]
    const [first, last] = [partAt(start), partAt(end)]
    for (let part = first + 1; part <= last; part++) cuts.push(clamp((boundary(part) - start) / (end - start)))
    cuts.push(1)
    for (let part = first; part <= last; part++) {
      const share = { from: cuts[part - first]!, to: cuts[part - first + 1]! }
      if (share.from < share.to) add(part, tensor, share)
    }
  })
  return parts
}

/** Costs are counted by letting methods merge a few numbers, by the parameters of the plan; those of a plan of mk are what they take. */
function refuseParameters(cause: unknown): never {
  if (issueErrorOf(cause) !== undefined) throw cause
  const problem = `its parameters are none that its methods take (${cause instanceof Error ? cause.message : String(cause)})`
  throw new MergeError({ code: 'plan-invalid', file: 'the plan', problem }, { cause })
}

/** @throws MergeError 'part-number' */
export function checkPart({ part, of }: PartNumber): void {
  const isPart = Number.isSafeInteger(part) && Number.isSafeInteger(of) && part >= 1 && part <= of && of <= mostParts
  if (!isPart) throw new MergeError({ code: 'part-number', part, of })
}

const mostParts = 100_000
const whole: TensorShare = { from: 0, to: 1 }
const clamp = (value: number) => Math.min(1, Math.max(0, value))

const costOf = ({ readBytes, passes = 1, writtenBytes }: TensorCost): number => readBytes * passes + writtenBytes
