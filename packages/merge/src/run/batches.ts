import { hasRows } from '@mk/tensor/runtime'
import { dtypeBytes, elementCount } from '@mk/safetensors'
import { operationInputs, type PlannedTensor, type PlannedTensorInput } from '../plan/merge-plan.ts'
import type { Kind } from './kinds.ts'
import type { BatchFile, BatchTask } from './task.ts'

/** A batch holds at most so many tensors, and they so many elements; each of them is small. */
export const batchLimits = { tensors: 2 ** 10, elements: 2 ** 18, tensorElements: 2 ** 15 }

/** Tensors of a plan that are one task. */
export interface Batch {
  /** Their indexes. */
  readonly indexes: readonly number[]
  readonly task: BatchTask
}

/** A batch while tensors are added to it. */
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
export const fitsBatch = ({ shape, rows, share }: PlannedTensor): boolean => {
  const elements = elementCount(shape)
  return elements > 0 && elements <= batchLimits.tensorElements && rows === undefined && share === undefined
}

/** Tells whether what a kind computes of an element depends on nothing but the same elements of the inputs. */
export function isElementwise({ last: { work, recall } }: Kind): boolean {
  if (recall !== undefined) return false
  if (work.kind === 'copy') return true
  return (
    work.kind === 'kernel' && !hasRows(work.program) && !work.program.instructions.some(({ op }) => op === 'before')
  )
}

/** Puts tensors into batches, those of one kind and of the same files together. */
export function createBatches(files: readonly string[]): {
  /** Adds a tensor; false where it is made of anything but bytes of files. */
  add(index: number, tensor: PlannedTensor, kind: Kind): boolean
  batches(): readonly Batch[]
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
    batches: () =>
      growing.map(({ kind, file, sources, indexes, runs }) => ({
        indexes,
        task: {
          tensor: indexes[0]!,
          elementCount: elementCount(kind.shape),
          sources,
          output: { file: files[file]!, dtype: kind.tensor.dtype },
          work: kind.last.work as BatchTask['work'],
          runs,
        },
      })),
  }
}

/** @param file 0: the output; from 1 on: the sources */
function startIn(file: number, { byteStart }: PlannedTensor, stored: readonly PlannedTensorInput[]): number {
  if (file === 0) return byteStart
  const { source } = stored[file - 1]!
  return source.kind === 'file' ? source.byteStart : NaN
}
