import type { MethodDefinition } from '@mk/methods'
import { elementCount } from '@mk/safetensors'
import { mergedSources } from '@mk/source'
import { type MergePlan, operationInputs, type PlannedTensor } from '../plan/merge-plan.ts'
import { type BatchLimits, fitsBatch } from './batches.ts'
import { isAlike, mayShare } from './kinds.ts'
import type { AlikeTensors, WholeTask } from './task.ts'

/** What one task has at most of small tensors. */
const smallTensors: BatchLimits = { tensors: 2 ** 7, elements: 2 ** 17, tensorElements: 2 ** 15 }

/** So many small tensors are worth that each worker loads the methods. */
const worthLoadingMethods = 2 ** 8

/** Elements of the largest tensor that one worker carries out alone: progress is told when all of it is written. */
const mostAlone = 2 ** 28

/** Tensors of a plan that are one task, all of their passes. */
export interface WholeTensors {
  /** Their indexes, in the order of the task. */
  readonly indexes: readonly number[]
  readonly elements: number
  readonly task: WholeTask
}

type MethodFor = (tensor: PlannedTensor) => MethodDefinition

/** Tells whether a tensor is so small, and made of such, that one task can carry out several of them. */
export const isSmall = (tensor: PlannedTensor, method: MethodDefinition): boolean =>
  tensor.operation.kind === 'merge' &&
  fitsBatch(tensor, smallTensors) &&
  mayShare(method, tensor.operation) &&
  operationInputs(tensor.operation).every(({ source }) => source.kind === 'file')

/** Tells whether tensors are small of which there are enough that workers should have the methods, too. */
export function areManySmall(tensors: Iterable<PlannedTensor>, methodFor: MethodFor): boolean {
  let count = 0
  for (const tensor of tensors) if (isSmall(tensor, methodFor(tensor)) && ++count === worthLoadingMethods) return true
  return false
}

/**
 * Tells whether one worker should carry a tensor out alone, whatever passes its method takes, as so much is left for the others meanwhile.
 * @param following elements of the tensors after it
 */
export const isOneOfMany = (
  tensor: PlannedTensor,
  method: MethodDefinition,
  { following, workers }: { readonly following: number; readonly workers: number },
): boolean => {
  const elements = elementCount(tensor.shape)
  return (
    tensor.operation.kind === 'merge' &&
    tensor.share === undefined &&
    elements <= Math.min(mostAlone, following / (2 * workers)) &&
    mayShare(method, tensor.operation) &&
    mergedSources(operationInputs(tensor.operation).map(({ source }) => source)).length === 0
  )
}

type Surroundings = Pick<MergePlan, 'seed' | 'inputs'>

/** Makes a task of one tensor. @param files where the output is */
export function wholeTensor(
  plan: Surroundings,
  files: readonly string[],
  index: number,
  like: PlannedTensor,
  { name: method }: MethodDefinition,
): WholeTensors {
  const alone = { method, like, file: files[like.file]!, names: [like.name], byteStarts: [] }
  return { indexes: [index], elements: elementCount(like.shape), task: taskOf(plan, index, [alone]) }
}

const taskOf = ({ seed, inputs }: Surroundings, tensor: number, whole: readonly AlikeTensors[]): WholeTask => ({
  tensor,
  seed,
  labels: inputs.map(({ label }) => label),
  whole,
})

/** Small tensors that are alike, while others are added to them. */
interface Growing extends AlikeTensors {
  readonly definition: MethodDefinition
  readonly indexes: number[]
  readonly names: string[]
  readonly byteStarts: number[]
}

/** Puts small tensors of a plan together. @param files where the output is */
export function createSmallBatch(
  plan: Surroundings,
  files: readonly string[],
): {
  /** Adds a tensor; false where a task has no room for it. */
  add(index: number, tensor: PlannedTensor, method: MethodDefinition): boolean
  /** Gives what was added; undefined where nothing was. */
  finish(): WholeTensors | undefined
} {
  const growing: Growing[] = []
  let [tensors, elements] = [0, 0]
  return {
    add(index, tensor, definition) {
      const more = elementCount(tensor.shape)
      if (tensors === smallTensors.tensors || elements + more > smallTensors.elements) return false
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
      const [first] = indexes
      if (first === undefined) return undefined
      const whole = growing.map(({ method, like, file, names, byteStarts }) => ({
        method,
        like,
        file,
        names,
        byteStarts,
      }))
      return { indexes, elements, task: taskOf(plan, first, whole) }
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
