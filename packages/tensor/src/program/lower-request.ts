import type { Dtype } from '@mk/safetensors'
import type { Expression, Mask, Operand } from '../language/operations.ts'
import type { Reduction } from '../language/reductions.ts'

/** What one kernel is to compute. The outputs of the program stand in the order of these fields. */
export interface LowerRequest {
  readonly stores?: readonly { readonly value: Operand; readonly dtype: Dtype }[]
  readonly reductions?: readonly Omit<Reduction, 'columns'>[]
  readonly histograms?: readonly {
    readonly value: Operand
    readonly bins: number
    readonly lo: number
    readonly shift: number
  }[]
  readonly collections?: readonly {
    readonly value: Operand
    readonly windows: readonly { readonly lo: number; readonly hi: number }[]
  }[]
  readonly locate?: readonly { readonly mask: Mask; readonly nth: number }[]
  /** Whether products with matrices are taken, as inputs that somebody computes. */
  readonly products?: boolean
  /** Masks in whose place others are computed. */
  readonly replaced?: ReadonlyMap<Mask, Mask>
}

/** A product with a matrix, as a node of an expression. */
export type TimesNode = Extract<Expression, { op: 'times' }>
