import { elementCount } from '@mk/safetensors'
import { sourceBytes } from '@mk/source'
import type { Checkpoint } from './checkpoint.ts'

/** A tensor of a checkpoint in numbers. */
export interface ListedTensor {
  readonly name: string
  /** Of the elements that are delivered: float32 where they are stored in blocks or codes. */
  readonly dtype: string
  readonly shape: readonly number[]
  readonly elementCount: number
  /** What it takes in its files, scales and adapters included. */
  readonly storedBytes: number
}

/** Lists the tensors of a checkpoint with their sizes, in its order. */
export const listTensors = ({ tensors }: Pick<Checkpoint, 'tensors'>): ListedTensor[] =>
  [...tensors].map(([name, source]) => ({
    name,
    dtype: source.dtype,
    shape: source.shape,
    elementCount: elementCount(source.shape),
    storedBytes: sourceBytes(source),
  }))
