import type { GgmlType } from './ggml-types.ts'
import type { GgufMetadata } from './metadata.ts'

/**
 * A model as a GGUF: what a map of its family makes of the names and shapes of its tensors and of its small files. Plain data;
 * whoever merges or converts carries it out.
 */
export interface GgufModelPlan {
  readonly metadata: GgufMetadata
  /** In the order in which they shall lie in the file. */
  readonly tensors: readonly GgufTensorPlan[]
  /** Tensors of the model that have no place in the file, each with the reason. All others are in a part of `tensors`. */
  readonly leftOut: ReadonlyMap<string, string>
}

/** A tensor of a GGUF, and what it is made of. */
export interface GgufTensorPlan {
  readonly name: string
  /** Row-major, see `GgufTensor`. */
  readonly shape: readonly number[]
  /** A type that it has whatever is asked for; absent: `storedGgmlType` decides. */
  readonly type?: GgmlType
  readonly content: GgufContent
}

/** What the elements of a tensor of a GGUF are made of. */
export type GgufContent =
  /** Rows of tensors of the model, those of one part behind those of the other: several parts stack or join tensors. */
  | {
      readonly kind: 'rows'
      readonly parts: readonly GgufPart[]
      /** Added to each element in float32, as for the norms of Gemma. */
      readonly add?: number
    }
  /** Numbers that the model's config tells, such as the factors of a scaled RoPE; written as float32. */
  | { readonly kind: 'values'; readonly values: readonly number[] }

/**
 * Rows of one tensor of the model. A row is what its last dimension numbers; of a tensor of one dimension each element is one.
 */
export interface GgufPart {
  /** The tensor's name in the model. */
  readonly source: string
  /** Which of its rows; absent: all. */
  readonly rows?: { readonly start: number; readonly count: number }
  /**
   * Interleaves the halves of each head, as llama.cpp wants the rows of q and k of families whose RoPE rotates pairs: rows counted
   * as [heads, 2, n] come as [heads, n, 2].
   */
  readonly interleaveHeads?: number
}
