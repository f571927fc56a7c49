import { LinalgError } from './errors.ts'
import { dot, type Matrix, scaleOf, transpose } from './matrix.ts'

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
  const values = new Float64Array(size * columns)
  const upper = transpose(lower)
  for (let start = 0; start < columns; start += STRIP) {
    const width = Math.min(STRIP, columns - start)
    const strip = new Float64Array(size * width)
    for (let row = 0; row < size; row++) {
      const at = row * columns + start
      strip.set(right.values.subarray(at, at + width), row * width)
    }
    for (let row = 0; row < size; row++) {
      subtractRows(strip, width, { row, from: 0, to: row, factors: lower.values, first: row * size })
      divideRow(strip, width, row, lower.values[row * (size + 1)]!)
    }
    for (let row = size - 1; row >= 0; row--) {
      subtractRows(strip, width, { row, from: row + 1, to: size, factors: upper.values, first: row * size })
      divideRow(strip, width, row, lower.values[row * (size + 1)]!)
    }
    for (let row = 0; row < size; row++)
      values.set(strip.subarray(row * width, (row + 1) * width), row * columns + start)
  }
  return { rows: size, columns, values }
}

/** Columns of a right side that are solved for together, so that they stay in the cache. */
const STRIP = 32

/** The rows that are taken off another one, each times its factor: that of row i is factors[first + i]. */
interface Subtracted {
  readonly row: number
  readonly from: number
  readonly to: number
  readonly factors: Float64Array
  readonly first: number
}

function subtractRows(values: Float64Array, width: number, { row, from, to, factors, first }: Subtracted): void {
  const into = row * width
  let other = from
  // Four at a time, so that the row is read and written once for them; each element is rounded as if it were one after the other.
  for (; other + 3 < to; other += 4) {
    const at = first + other
    const [a, b, c, d] = [factors[at]!, factors[at + 1]!, factors[at + 2]!, factors[at + 3]!]
    const one = other * width
    const [two, three, four] = [one + width, one + 2 * width, one + 3 * width]
    for (let column = 0; column < width; column++)
      values[into + column] =
        values[into + column]! -
        a * values[one + column]! -
        b * values[two + column]! -
        c * values[three + column]! -
        d * values[four + column]!
  }
  for (; other < to; other++) {
    const factor = factors[first + other]!
    for (let column = 0; column < width; column++) values[into + column]! -= factor * values[other * width + column]!
  }
}

function divideRow(values: Float64Array, width: number, row: number, pivot: number): void {
  for (let column = row * width; column < (row + 1) * width; column++) values[column]! /= pivot
}
