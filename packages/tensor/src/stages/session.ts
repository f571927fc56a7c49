import type { DenseMatrix } from '../language/dense-matrix.ts'
import type { CrossProduct } from '../language/matrices.ts'
import type { Expression, Mask, Operand } from '../language/operations.ts'
import type { Reduction } from '../language/reductions.ts'

/** What a reduction gives, by what it is taken over: float64. */
export interface ReduceResult {
  tensor: number
  row: Float64Array
  column: Float64Array
}

/** What a reduction is asked for besides its results. */
export interface ReduceOptions {
  readonly remember?: readonly Mask[]
}

/** What a merge method may ask of the tensor it is merging: it streams over the inputs and comes back as numbers or vectors. */
export interface Session {
  readonly shape: readonly number[]
  readonly elementCount: number
  /**
   * All reductions of one call are one pass over the inputs.
   * @param options.remember masks among what is reduced that cost much, and that the result of the merge has, too: a few at most, which
   * whoever carries it out may keep then
   */
  reduce<R extends Record<string, Reduction>>(
    reductions: R,
    options?: ReduceOptions,
  ): Promise<{ [K in keyof R]: ReduceResult[R[K]['per']] }>
  /**
   * For each entry, the mask of exactly `k` elements with the largest values (non-negative; NaN counts as largest); equal
   * values go by lowest flat index. All entries of one call share their passes. `k` outside 0 … elementCount is clamped.
   */
  largest<R extends Record<string, { readonly value: Operand; readonly k: number }>>(
    requests: R,
  ): Promise<{ [K in keyof R]: Mask }>
  /**
   * The mask of int(share · n) elements with the largest values, as `largest` gives it, where n is how many values are more than 0; and the
   * sums over the tensor of what `summed` makes with the mask. Where few values are common, that is one pass.
   */
  largestShare(
    request: { readonly value: Expression; readonly share: number },
    summed: (mask: Mask) => readonly Expression[],
  ): Promise<{ readonly mask: Mask; readonly sums: readonly number[] }>
  /** The k-th largest value (k from 1) of a non-negative expression, exactly; several ranks share their passes. */
  kthLargest(value: Expression, ranks: readonly number[]): Promise<number[]>
  /**
   * Of a tensor of two dimensions: XᵀY or X·Yᵀ (`crossProduct`) of matrices that stream block by block, in float64 sums of float32 products
   * (`Product` of @mk/tensor/runtime). All requests of one call, on one side, are one pass over the inputs.
   * @throws TensorError 'product-sizes'
   */
  products<R extends Record<string, CrossProduct>>(requests: R): Promise<{ [K in keyof R]: DenseMatrix }>
}
