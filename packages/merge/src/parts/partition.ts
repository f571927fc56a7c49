import { issueErrorOf } from '@mk/errors'
import { elementCount } from '@mk/safetensors'
import { MergeError } from '../errors.ts'
import type { MergePlan, TensorShare } from '../plan/merge-plan.ts'
import { planCost, type TensorCost } from '../plan/plan-cost.ts'
import { type CostUnit, divideCosts } from './divide-costs.ts'

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
 * Divides a merge into parts, so that the most costly one costs as little as it can. Each is a run of consecutive tensors, so that it reads
 * and writes few files; a large tensor that is gone through once is shared between neighbors, any other belongs to one part. So no part
 * costs more than its equal share and one tensor; parts of which there are too many are empty.
 */
export async function listParts({ plan }: { readonly plan: MergePlan }, of: number): Promise<readonly PlannedPart[]> {
  checkPart({ part: 1, of })
  const { tensors: costs } = await planCost(plan, { threads: 1 }).catch(refuseParameters)
  const units = unitsOf(plan, costs)
  const ends = divideCosts(units, of)
  const parts = Array.from({ length: of }, (_, index) => ({
    part: index + 1,
    of,
    tensors: [] as PartTensor[],
    readBytes: 0,
    writtenBytes: 0,
    cost: 0,
  }))
  const add = (part: number, tensor: number, { from, to }: TensorShare) => {
    const { readBytes, writtenBytes } = costs[tensor]!
    const into = parts[part]!
    into.tensors.push(from === 0 && to === 1 ? { tensor } : { tensor, share: { from, to } })
    into.readBytes += readBytes * (to - from)
    into.writtenBytes += writtenBytes * (to - from)
    into.cost += costOf(costs[tensor]!) * (to - from)
  }
  let part = 0
  let start = 0
  for (const { tensors, cost } of units) {
    const end = start + cost
    while (part < of - 1 && ends[part + 1]! <= start) part++
    // Only what is shared reaches beyond the part.
    let from = 0
    for (; part < of - 1 && ends[part + 1]! < end; part++) {
      const to = (ends[part + 1]! - start) / cost
      if (to > from) add(part, tensors[0]!, { from, to })
      from = to
    }
    for (const tensor of tensors) add(part, tensor, { from, to: 1 })
    start = end
  }
  return parts
}

interface TensorUnit extends CostUnit {
  /** What one part makes of it, or, of a single tensor, several. */
  readonly tensors: readonly number[]
}

/** Both factors of a module come of one computation, and lie side by side. */
function unitsOf({ tensors }: MergePlan, costs: readonly TensorCost[]): readonly TensorUnit[] {
  return tensors.flatMap(({ shape, operation }, index): TensorUnit[] => {
    if (operation.kind === 'other-factor') return []
    const own = costs[index]!
    if (operation.kind === 'factors')
      return [{ tensors: [index, index + 1], cost: costOf(own) + costOf(costs[index + 1]!), isShared: false }]
    const isShared = own.passes === 1 && elementCount(shape) >= leastSharedElements
    return [{ tensors: [index], cost: costOf(own), isShared }]
  })
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

const costOf = ({ readBytes, passes = 1, writtenBytes }: TensorCost): number => readBytes * passes + writtenBytes
