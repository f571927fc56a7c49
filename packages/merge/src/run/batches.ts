import { hasRows } from '@mk/tensor/runtime'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { operationInputs, type PlannedTensor, type PlannedTensorInput } from '../plan/merge-plan.ts'
import type { Kind } from './kinds.ts'
import { packRanges } from './pack-tasks.ts'
import { taskElements, worthOneTask } from './run-ranges.ts'
import type { BatchFile, BatchPart, BatchTask } from './task.ts'

/** What a batch holds at most: tensors, and elements of all and of each. */
export interface BatchLimits {
  readonly tensors: number
  readonly elements: number
  readonly tensorElements: number
}

/** Of small tensors. */
export const smallBatch: BatchLimits = { tensors: 2 ** 10, elements: 2 ** 18, tensorElements: 2 ** 15 }

/** Chooses what a batch holds where so many elements are left to do after its first tensor. */
export function batchLimits(left: number, workers: number): BatchLimits {
  const elements = worthOneTask(left, workers)
  return elements < 2 * taskElements.most
    ? smallBatch
    : { tensors: 2 ** 10, elements, tensorElements: taskElements.most }
}

/** Tensors of a plan that are one task. */
export interface Batch {
  /** Their indexes, in the order of the task. */
  readonly indexes: readonly number[]
  readonly elements: number
  readonly task: BatchTask
}

/** A part while tensors are added to it. */
interface Growing {
  readonly kind: Kind
  readonly file: number
  readonly sources: readonly BatchFile[]
  /** Bytes of a tensor, in the output and then in each source. */
  readonly sizes: readonly number[]
  readonly indexes: number[]
  readonly runs: number[]
}

/** Tells whether a tensor is of a size and a form that fits batches. */
export const fitsBatch = ({ shape, rows, share }: PlannedTensor, { tensorElements }: BatchLimits): boolean => {
  const elements = elementCount(shape)
  return elements > 0 && elements <= tensorElements && rows === undefined && share === undefined
}

/** Tells whether what a kind computes of an element depends on nothing but the same elements of the inputs. */
export function isElementwise({ last: { work, recall } }: Kind): boolean {
  if (recall !== undefined) return false
  if (work.kind === 'copy') return true
  return (
    work.kind === 'kernel' && !hasRows(work.program) && !work.program.instructions.some(({ op }) => op === 'before')
  )
}

interface OutputFiles {
  readonly files: readonly string[]
  /** Those that have what would be copied. */
  readonly shared?: ReadonlySet<number>
}

/** Puts tensors into a batch, those of one kind and of the same files into one part. */
export function createBatch({ files, shared }: OutputFiles): {
  /** Adds a tensor; false where it is made of anything but bytes of files. */
  add(index: number, tensor: PlannedTensor, kind: Kind): boolean
  /** Gives what was added; undefined where nothing was. */
  finish(): Batch | undefined
} {
  const growing: Growing[] = []
  return {
    add(index, tensor, kind) {
      const stored = operationInputs(tensor.operation)
      let batch = growing.find(
        (each) =>
          each.kind === kind &&
          each.file === tensor.file &&
          stored.every(({ source }, slot) => source.kind === 'file' && source.file === each.sources[slot]!.file),
      )
      if (batch === undefined) {
        const sources: BatchFile[] = []
        for (const { source } of stored) {
          if (source.kind !== 'file') return false
          sources.push({ file: source.file, dtype: source.dtype })
        }
        const elements = elementCount(tensor.shape)
        const sizes = [tensor, ...sources].map(({ dtype }) => elements * dtypeBytes(dtype))
        growing.push((batch = { kind, file: tensor.file, sources, sizes, indexes: [], runs: [] }))
      }
      batch.indexes.push(index)
      const { runs, sizes } = batch
      const last = runs.length - sizes.length - 1
      const count = last < 0 ? 0 : runs[last]!
      let follows = count > 0
      for (let file = 0; file < sizes.length && follows; file++)
        follows = runs[last + 1 + file]! + count * sizes[file]! === startIn(file, tensor, stored)
      if (follows) runs[last] = count + 1
      else {
        runs.push(1)
        for (let file = 0; file < sizes.length; file++) runs.push(startIn(file, tensor, stored))
      }
      return true
    },
    finish() {
      const indexes = growing.flatMap((part) => part.indexes)
      const [tensor] = indexes
      if (tensor === undefined) return undefined
      const elements = growing.reduce((sum, { kind, indexes }) => sum + indexes.length * elementCount(kind.shape), 0)
      const parts = growing.map(({ kind, file, sources, runs }): BatchPart => ({
        elementCount: elementCount(kind.shape),
        sources,
        output: { file: files[file]!, dtype: kind.tensor.dtype, ...(shared?.has(file) && { isThere: true }) },
        work: kind.last.work as BatchPart['work'],
        runs,
        ...(elementCount(kind.shape) > smallBatch.tensorElements && { ranges: packRanges(kind.last.ranges) }),
      }))
      return { indexes, elements, task: { tensor, parts } }
    },
  }
}

/** @param file 0: the output; from 1 on: the sources */
function startIn(file: number, { byteStart }: PlannedTensor, stored: readonly PlannedTensorInput[]): number {
  if (file === 0) return byteStart
  const { source } = stored[file - 1]!
  return source.kind === 'file' ? source.byteStart : NaN
}
