import type { Mask, Operand } from './expression.ts'
import type { Reduction } from './session.ts'

type Along = Reduction['along']

const reduction =
  (reduce: Reduction['reduce']) =>
  <A extends Along = 'tensor'>(
    value: Operand | Mask,
    along?: A,
    columns?: number,
  ): Reduction & { readonly along: A } => ({
    reduce,
    value,
    along: along ?? ('tensor' as A),
    ...(columns === undefined ? {} : { columns }),
  })

/** Σ of the values in float64 (of a mask: how many are true), over the tensor, for each row or for each column. */
export const sum = reduction('sum')
/** The smallest value, NaN if any is; +Infinity for no elements. */
export const minimum = reduction('min')
/** The largest value, NaN if any is; −Infinity for no elements. */
export const maximum = reduction('max')
/** How many elements the mask is true for. */
export const count = <A extends Along = 'tensor'>(
  mask: Mask,
  along?: A,
  columns?: number,
): Reduction & { readonly along: A } => sum(mask, along, columns)
