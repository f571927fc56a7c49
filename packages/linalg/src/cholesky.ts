import { LinalgError } from './errors.ts'
import { dot, type Matrix, scaleOf } from './matrix.ts'

/**
 * Factorizes a symmetric positive definite matrix, of which the lower triangle is read, into L·Lᵀ.
 * @returns L, lower triangular with a positive diagonal
 * @throws LinalgError 'matrix-size', 'matrix-not-finite' or 'not-positive-definite'
 */
export function cholesky(matrix: Matrix): Matrix {
  const { rows: size, columns } = matrix
  if (size !== columns)
    throw new LinalgError({
      code: 'matrix-size',
      what: 'the matrix',
      got: `${size} × ${columns}`,
      expected: 'as many rows as columns',
    })
  scaleOf(matrix.values, 'the matrix')
  const values = new Float64Array(size * size)
  for (let row = 0; row < size; row++) {
    for (let column = 0; column <= row; column++) {
      const rest = matrix.values[row * size + column]! - dot(values, row * size, values, column * size, column)
      if (column < row) values[row * size + column] = rest / values[column * size + column]!
      else if (rest > 0) values[row * size + row] = Math.sqrt(rest)
      else throw new LinalgError({ code: 'not-positive-definite', column, pivot: rest })
    }
  }
  return { rows: size, columns: size, values }
}

/**
 * Solves A·X = B for a symmetric positive definite A, of which the lower triangle is read.
 * @throws LinalgError 'matrix-size', 'matrix-not-finite' or 'not-positive-definite'
 */
export function solvePositive(matrix: Matrix, right: Matrix): Matrix {
  const lower = cholesky(matrix)
  const size = lower.rows
  if (right.rows !== size)
    throw new LinalgError({
      code: 'matrix-size',
      what: 'the right side',
      got: `${right.rows} × ${right.columns}`,
      expected: `${size} rows`,
    })
  scaleOf(right.values, 'the right side')
  const { columns } = right
  const values = right.values.slice()
  const subtract = (row: number, factor: number, from: number): void => {
    for (let column = 0; column < columns; column++)
      values[row * columns + column]! -= factor * values[from * columns + column]!
  }
  const divide = (row: number): void => {
    const pivot = lower.values[row * size + row]!
    for (let column = 0; column < columns; column++) values[row * columns + column]! /= pivot
  }
  for (let row = 0; row < size; row++) {
    for (let before = 0; before < row; before++) subtract(row, lower.values[row * size + before]!, before)
    divide(row)
  }
  for (let row = size - 1; row >= 0; row--) {
    for (let after = row + 1; after < size; after++) subtract(row, lower.values[after * size + row]!, after)
    divide(row)
  }
  return { rows: size, columns, values }
}
