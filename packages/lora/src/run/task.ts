import type { Dtype } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'

/** A module to decompose, as it crosses to a worker thread. */
export interface DecomposeTask {
  readonly tensor: string
  readonly fine: TensorSource
  readonly base: TensorSource
  readonly transposed: boolean
  readonly maxRank: number
  readonly distributeScale: boolean
  readonly svEpsilon: number
  readonly energy: number | undefined
  readonly seed: number
  readonly dtype: Dtype
}

export interface Factors {
  /** 0 where there is no difference, or none that is large enough. */
  readonly rank: number
  /** Stored elements: [rank, in]. */
  readonly a: Uint8Array
  /** [out, rank] */
  readonly b: Uint8Array
  /** How many elements of each are past the largest finite number of their dtype. */
  readonly overflow: { readonly a: number; readonly b: number }
  /** Of the difference, and of what the factors leave of it. */
  readonly squaredNorm: number
  readonly squaredError: number
}

/** Decomposes modules, one at a time. */
export interface Decomposer {
  decompose(task: DecomposeTask): Promise<Factors>
  close(): Promise<void>
}
