import type { Dtype } from '@mk/safetensors'
import { kthLargest, largest } from './largest.ts'
import { reduce } from './reduce.ts'
import type { Session } from './session.ts'
import type { RunStage } from './stage.ts'

export interface SessionOptions {
  readonly shape: readonly number[]
  /** The stored dtype of each input slot. */
  readonly inputDtypes: readonly Dtype[]
  readonly runStage: RunStage
}

/**
 * What a merge method asks of a tensor, on kernels: turns each request into stages, has them run, and puts the results
 * of the ranges together, in their order where it matters. It keeps no elements.
 */
export function createSession(options: SessionOptions): Session {
  const elementCount = options.shape.reduce((product, size) => product * size, 1)
  const tensor: StreamedTensor = { ...options, elementCount }
  return {
    shape: options.shape,
    elementCount,
    reduce: (reductions) => reduce(tensor, reductions),
    largest: (requests) => largest(tensor, requests),
    kthLargest: (value, ranks) => kthLargest(tensor, value, ranks),
  }
}

/** What the parts of a session work on. */
export interface StreamedTensor extends SessionOptions {
  readonly elementCount: number
}
