import { TensorError } from '../errors.ts'
import type { DenseMatrix, MatrixSide } from './dense-matrix.ts'
import type { Expression, Operand } from './operations.ts'

/** A request for the products of all columns of one matrix with all of another, or of all rows. */
export interface CrossProduct {
  readonly left: Expression
  readonly right: Expression
  readonly on: MatrixSide
}

/**
 * Multiplies a tensor of two dimensions with a matrix in memory: value·matrix on 'columns', matrix·value on 'rows'. Where the result has
 * the shape of the tensor it is an expression like any other in what a method returns; of another shape, or in `crossProduct`, it
 * stands by itself. Reductions don't take it.
 */
export const times = (value: Expression, matrix: DenseMatrix, on: MatrixSide = 'columns'): Expression => ({
  op: 'times',
  value,
  matrix,
  on,
})

/** Asks `Session.products` for leftᵀ·right, or on 'rows' for left·rightᵀ; of one matrix with itself if `right` is left out. */
export const crossProduct = (left: Operand, right: Operand = left, on: MatrixSide = 'columns'): CrossProduct => {
  for (const value of [left, right])
    if (typeof value === 'number')
      throw new TensorError({ code: 'wrong-kind', where: 'crossProduct', expected: 'expression', got: String(value) })
  return { left: left as Expression, right: right as Expression, on }
}
