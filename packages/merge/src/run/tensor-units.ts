import { elementCount } from '@mk/safetensors'
import type { MergePlan } from '../plan/merge-plan.ts'

/** Counts for each unit the elements of those after it. */
export function countFollowing({ tensors }: MergePlan, units: readonly TensorUnit[]): Float64Array {
  const following = new Float64Array(units.length)
  for (let unit = units.length - 2; unit >= 0; unit--)
    following[unit] = following[unit + 1]! + elementCount(tensors[units[unit + 1]!.index]!.shape)
  return following
}

/** Tensors that are computed together. */
export interface TensorUnit {
  /** The tensor whose operation gives them. */
  readonly index: number
  /** The other factor of an adapter's module. */
  readonly other?: number
  /** Those that were not finished before. */
  readonly finishes: readonly number[]
}

const alone = (index: number): TensorUnit => ({ index, finishes: [index] })

/** Puts the two factors of a module together, also where an interrupted run has finished only one of them. */
export function groupTensors({ tensors }: MergePlan, pending: readonly number[]): readonly TensorUnit[] {
  // Most plans have no factors, and many tensors.
  if (!pending.some((index) => ['factors', 'other-factor'].includes(tensors[index]!.operation.kind)))
    return pending.map(alone)
  const indexes = new Map(tensors.map(({ name }, index) => [name, index]))
  const isPending = new Set(pending)
  return pending.flatMap((index): TensorUnit[] => {
    const { operation } = tensors[index]!
    if (operation.kind === 'other-factor') {
      const first = indexes.get(operation.of)!
      return isPending.has(first) ? [] : [{ index: first, other: index, finishes: [index] }]
    }
    if (operation.kind !== 'factors') return [alone(index)]
    const other = indexes.get(operation.other)!
    return [{ index, other, finishes: isPending.has(other) ? [index, other] : [index] }]
  })
}
