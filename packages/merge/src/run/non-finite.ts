import { type NonFiniteTensor, type StoredElements, visitNonFinite } from '@mk/tensor'
import type { KernelResult } from '@mk/tensor/runtime'
import { type MergePlan, operationInputs } from '../plan/merge-plan.ts'
import { storedType } from '../plan/stored-size.ts'

/** Elements of a tensor that are infinite or NaN, or of a part of it. */
export interface NonFiniteCounts {
  /** In the result, rounded to its dtype. */
  readonly results: number
  /** Of those, where every input is finite. */
  readonly overflow: number
  /** In each input of the operation, in the order of `operationInputs`. */
  readonly inputs: readonly number[]
}

/** Index of a tensor → its counts. */
export type NonFiniteByTensor = readonly (readonly [tensor: number, counts: NonFiniteCounts])[]

/** Gives the counts of a tensor of the plan their names. */
export function nameNonFinite({ tensors, inputs }: MergePlan, index: number, counts: NonFiniteCounts): NonFiniteTensor {
  const { name, operation, ...stored } = tensors[index]!
  const byInput = inputs.map(() => 0)
  operationInputs(operation).forEach(
    ({ input }, slot) => (byInput[input] = Math.max(byInput[input]!, counts.inputs[slot] ?? 0)),
  )
  return {
    tensor: name,
    dtype: storedType(stored),
    inputs: byInput.flatMap((count, input) => (count > 0 ? [{ model: inputs[input]!.label, count }] : [])),
    results: counts.results,
    overflow: counts.overflow,
  }
}

/**
 * Counts what is infinite or NaN, as it is stored: a float64 past float32 is finite.
 * @param inputs undefined where an input is not read
 */
export function countNonFinite(
  elementCount: number,
  inputs: readonly (StoredElements | undefined)[],
  result: StoredElements,
): NonFiniteCounts {
  const isTainted = new Uint8Array(elementCount)
  const counts = inputs.map((stored) => {
    let count = 0
    if (stored !== undefined)
      visitNonFinite(elementCount, stored, (index) => {
        isTainted[index] = 1
        count++
      })
    return count
  })
  let results = 0
  let overflow = 0
  visitNonFinite(elementCount, result, (index) => {
    results++
    if (isTainted[index] === 0) overflow++
  })
  return { results, overflow, inputs: counts }
}

/** Adds up the counts of two parts of a tensor. */
export const addCounts = (a: NonFiniteCounts | undefined, b: NonFiniteCounts): NonFiniteCounts =>
  a === undefined
    ? b
    : {
        results: a.results + b.results,
        overflow: a.overflow + b.overflow,
        inputs: a.inputs.map((count, slot) => count + b.inputs[slot]!),
      }

/** Tells whether a call that counts the finite elements, where it does, found all of them finite. */
export const isFiniteCount = ([count]: KernelResult, elementCount: number): boolean =>
  count === undefined || count[0] === elementCount

/** Tells whether there is anything to say. */
export const isAny = ({ results, inputs }: NonFiniteCounts): boolean => results > 0 || inputs.some((count) => count > 0)
