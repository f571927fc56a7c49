import type { Dtype } from '@mk/safetensors'
import type { Instruction } from './instructions.ts'

/**
 * What a runtime compiles: expressions flattened to a list in which every common part stands once. Operands name
 * earlier instructions by their position. Numbers, vectors and random keys are not part of it but of each call, so
 * that one kernel serves every tensor that is merged in the same way. It is plain JSON.
 */
export interface Program {
  /** The stored dtype of each input slot. */
  readonly inputs: readonly Dtype[]
  readonly scalarCount: number
  /** Whether each vector slot has one value per row or per column. */
  readonly vectors: readonly ('row' | 'column')[]
  readonly instructions: readonly Instruction[]
  readonly outputs: readonly ProgramOutput[]
}

/** What a program gives: stored elements, or a reduction over them. */
export type ProgramOutput =
  /** The elements, rounded to `dtype` as in numbers/dtypes.ts: nearest even; integers saturate, and NaN becomes 0 there. */
  | { readonly kind: 'store'; readonly value: number; readonly dtype: Dtype }
  /**
   * A float64 reduction: over all elements of the call (1 result), for each row that the call touches, or for each of the
   * matrix's columns. `sum` of a mask counts it, min and max take it as 0 and 1. The sum of nothing is 0, the min and max
   * of nothing are +Infinity and −Infinity, NaN propagates.
   *
   * The order of the additions is part of the definition. Per 'tensor', and within the part of each row per 'row', the
   * element at position i (from the start of the call, or of that part) is added to accumulator i mod 4, in ascending order;
   * the result is (a0 + a2) + (a1 + a3). Per 'column' there is one accumulator per column, rows ascending.
   *
   * `quickSum` stands in programs without rows: each accumulator has a float32 one before it, starting at 0, which it takes on after every
   * QUICK_VALUES values and at the end of the call.
   */
  | {
      readonly kind: 'reduce'
      readonly reduce: 'sum' | 'quickSum' | 'min' | 'max'
      readonly per: 'tensor' | 'row' | 'column'
      readonly value: number
    }
  /**
   * Counts of values by b, their float32 bit pattern without the sign: bin (b − lo) >> shift, where `lo` and `shift` are
   * scalar slots. Results: `bins` counts, then the count of b < lo, then the count past the last bin. Callers see to it
   * that lo + bins · 2^shift ≤ 0x7F800001, so that every NaN counts past the last bin whatever its bits.
   */
  | {
      readonly kind: 'histogram'
      readonly value: number
      readonly bins: number
      readonly lo: number
      readonly shift: number
    }
  /**
   * Lists b, as `histogram` has it, of the elements that are in a window, lo ≤ b < hi, in their order; `lo` and `hi` are scalar slots.
   * Results: for each window the count of b < lo, then the list. Callers see to it that windows ascend and don't overlap, and that
   * hi ≤ 0x7F800001, so that no NaN is in one.
   */
  | {
      readonly kind: 'collect'
      readonly value: number
      readonly windows: readonly { readonly lo: number; readonly hi: number }[]
    }
  /** Flat index in the tensor of the n-th (from 0, a scalar slot) element of the call whose mask is true; −1 if there is none. */
  | { readonly kind: 'locate'; readonly mask: number; readonly nth: number }
