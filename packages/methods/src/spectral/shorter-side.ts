import { crossProduct, type CrossProduct, type DenseMatrix, type Expression, type MatrixSide, times } from '@mk/tensor'
import type { MethodContext } from '../declare/define-method.ts'

/**
 * A tensor seen as matrices of at least as many rows as columns, the other way round where it has fewer: what is computed of squares of
 * the shorter side is then written once.
 */
export interface ShorterSide extends Side {
  /** Lines that stream, and the length of each. */
  readonly long: number
  readonly short: number
}

export function shorterSide({ shape }: Pick<MethodContext, 'shape'>): ShorterSide {
  const [rows, columns] = shape as [number, number]
  return {
    long: Math.max(rows, columns),
    short: Math.min(rows, columns),
    ...sideOf(rows < columns ? 'rows' : 'columns'),
  }
}

/** A tensor seen as a matrix X whose columns are those of a side: on 'rows' X is the tensor's transpose. */
export interface Side {
  /** XᵀY. */
  cross(x: Expression, y?: Expression): CrossProduct
  /** X·M. */
  times(x: Expression, matrix: DenseMatrix): Expression
}

/** Gives products on a side. */
export const sideOf = (on: MatrixSide): Side => ({
  cross: (x, y = x) => crossProduct(x, y, on),
  times: (x, matrix) => times(x, on === 'columns' ? matrix : transposed(matrix), on),
})

/** Turns a matrix. */
export function transposed({ rows, columns, values }: DenseMatrix): DenseMatrix {
  const turned = new Float64Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!
  return { rows: columns, columns: rows, values: turned }
}

/** Multiplies each column by a number. */
export const scaleColumns = ({ rows, columns, values }: DenseMatrix, factors: ArrayLike<number>): DenseMatrix => ({
  rows,
  columns,
  values: values.map((value, i) => value * factors[i % columns]!),
})

/** Sums the diagonal. */
export function trace({ rows, columns, values }: DenseMatrix): number {
  let sum = 0
  for (let i = 0; i < rows; i++) sum += values[i * columns + i]!
  return sum
}
