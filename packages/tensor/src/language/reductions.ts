import type { Mask, Operand } from './operations.ts'

/** A sum, minimum or maximum over a tensor, or over each of its rows or columns. */
export type Reduction = {
  readonly reduce: 'sum' | 'quickSum' | 'min' | 'max'
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
/**
 * Sums the values over the tensor, 32 at a time in float32 and those sums in float64: off by at most 2^-19 of the sum of their magnitudes,
 * and in most cases by much less, in a third of the time. For what is told of a tensor, not for what is computed with. The value has
 * nothing that is per row or column.
 */
export const quickSum = (value: Operand): Reduction & { readonly per: 'tensor' } => reduction('quickSum')(value)
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
