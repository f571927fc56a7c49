/** A matrix in memory, row-major. */
export interface DenseMatrix {
  readonly rows: number
  readonly columns: number
  readonly values: Float64Array
}

/**
 * The side of a matrix that products are about. 'columns': the matrix stands left, so that its rows stream, and what is made of it has
 * its columns: X·M, XᵀY. 'rows': it stands right, its columns stream: M·X, X·Yᵀ.
 */
export type MatrixSide = 'columns' | 'rows'
