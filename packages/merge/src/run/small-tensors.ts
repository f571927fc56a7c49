import type { MethodDefinition } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { type MergePlan, operationInputs, type PlannedTensor } from '../plan/merge-plan.ts'
import { type BatchLimits, fitsBatch } from './batches.ts'
import { isAlike, mayShare } from './kinds.ts'
import type { SmallTask, SmallTensors } from './task.ts'

/** What one task has at most of tensors that take several passes. */
const limits: BatchLimits = { tensors: 2 ** 7, elements: 2 ** 17, tensorElements: 2 ** 15 }

/** So many small tensors are worth that each worker loads the methods. */
const worthLoadingMethods = 2 ** 8

/** Small tensors of a plan that are one task. */
export interface SmallBatch {
  /** Their indexes, in the order of the task. */
  readonly indexes: readonly number[]
  readonly elements: number
  readonly task: SmallTask
}

type MethodFor = (tensor: PlannedTensor) => MethodDefinition

/** Tells whether a tensor is so small, and made of such, that a worker can carry it out by itself. */
export const isSmall = (tensor: PlannedTensor, method: MethodDefinition): boolean =>
  tensor.operation.kind === 'merge' &&
  fitsBatch(tensor, limits) &&
  mayShare(method, tensor.operation) &&
  operationInputs(tensor.operation).every(({ source }) => source.kind === 'file')

/** Tells whether tensors are small of which there are enough that workers should have the methods, too. */
export function areManySmall(tensors: Iterable<PlannedTensor>, methodFor: MethodFor): boolean {
  let count = 0
  for (const tensor of tensors) if (isSmall(tensor, methodFor(tensor)) && ++count === worthLoadingMethods) return true
  return false
}

/** Small tensors that are alike, while others are added to them. */
interface Growing extends SmallTensors {
  readonly definition: MethodDefinition
  readonly indexes: number[]
  readonly names: string[]
  readonly byteStarts: number[]
}

/** Puts small tensors of a plan together. @param files where the output is */
export function createSmallBatch(
  { seed, inputs }: Pick<MergePlan, 'seed' | 'inputs'>,
  files: readonly string[],
): {
  /** Adds a tensor; false where a task has no room for it. */
  add(index: number, tensor: PlannedTensor, method: MethodDefinition): boolean
  /** Gives what was added; undefined where nothing was. */
  finish(): SmallBatch | undefined
} {
  const growing: Growing[] = []
  let [tensors, elements] = [0, 0]
  return {
    add(index, tensor, definition) {
      const more = elementCount(tensor.shape)
      if (tensors === limits.tensors || elements + more > limits.elements) return false
      tensors++
      elements += more
      let found = growing.find((each) => isLike(each, tensor, definition))
      if (found === undefined) {
        const file = files[tensor.file]!
        const { name: method } = definition
        growing.push((found = { definition, method, like: tensor, file, indexes: [], names: [], byteStarts: [] }))
      }
      found.indexes.push(index)
      found.names.push(tensor.name)
      found.byteStarts.push(tensor.byteStart)
      for (const { source } of operationInputs(tensor.operation))
        if (source.kind === 'file') found.byteStarts.push(source.byteStart)
      return true
    },
    finish() {
      const indexes = growing.flatMap((each) => each.indexes)
      const [tensor] = indexes
      if (tensor === undefined) return undefined
      const small = growing.map(({ method, like, file, names, byteStarts }) => ({
        method,
        like,
        file,
        names,
        byteStarts,
      }))
      const labels = inputs.map(({ label }) => label)
      return { indexes, elements, task: { tensor, seed, labels, small } }
    },
  }
}

function isLike({ definition, like }: Growing, tensor: PlannedTensor, method: MethodDefinition): boolean {
  if (like.file !== tensor.file) return false
  const [ours, theirs] = [operationInputs(like.operation), operationInputs(tensor.operation)]
  const facts = (of: PlannedTensor, inputs: typeof ours, own: MethodDefinition) => ({
    method: own,
    tensor: of,
    shape: of.shape,
    sources: inputs.map(({ source }) => source),
  })
  if (!isAlike(facts(like, ours, definition), facts(tensor, theirs, method))) return false
  return ours.every(({ input, source }, slot) => {
    const other = theirs[slot]!
    return (
      input === other.input &&
      source.kind === 'file' &&
      other.source.kind === 'file' &&
      source.file === other.source.file
    )
  })
}
