import type { Mask, Operand } from './operations.ts'

/** A sum, minimum or maximum over a tensor, or over each of its rows or columns. */
export type Reduction = {
  readonly reduce: 'sum' | 'min' | 'max'
  readonly value: Operand | Mask
  readonly per: 'tensor' | 'row' | 'column'
  /** The tensor as a matrix with that many columns; absent: its last dimension. */
  readonly columns?: number
}

type Per = Reduction['per']

const reduction =
  (reduce: Reduction['reduce']) =>
  <A extends Per = 'tensor'>(value: Operand | Mask, per?: A, columns?: number): Reduction & { readonly per: A } => ({
    reduce,
    value,
    per: per ?? ('tensor' as A),
    ...(columns === undefined ? {} : { columns }),
  })

/** Sums the values in float64 (of a mask: counts those that are true), over the tensor, for each row or for each column. */
export const sum = reduction('sum')
/** Takes the smallest value, NaN if any is; +Infinity for no elements. */
export const min = reduction('min')
/** Takes the largest value, NaN if any is; −Infinity for no elements. */
export const max = reduction('max')
/** Counts the elements that the mask is true for. */
export const count = <A extends Per = 'tensor'>(
  mask: Mask,
  per?: A,
  columns?: number,
): Reduction & { readonly per: A } => sum(mask, per, columns)
