import type { DenseMatrix } from '@mk/tensor'
import { LinalgError } from './errors.ts'
import { blockElements, createWorkspace, fillBlock, readBlock, rowStartsOf } from './kernels/workspace.ts'

/** A dense matrix, row-major. */
export type Matrix = DenseMatrix

/**
 * Makes a matrix of values, row by row, without copying them; of zeros if there are none.
 * @throws LinalgError 'matrix-size' if there are not rows × columns of them
 */
export function createMatrix(
  rows: number,
  columns: number,
  values: Float64Array = new Float64Array(rows * columns),
): Matrix {
  if (values.length !== rows * columns)
    throw new LinalgError({
      code: 'matrix-size',
      what: 'the number of values',
      got: String(values.length),
      expected: `${rows} × ${columns}`,
    })
  return { rows, columns, values }
}

/** Transposes a matrix. */
export function transpose({ rows, columns, values }: Matrix): Matrix {
  const turned = new Float64Array(values.length)
  // By blocks, so that what is written comes in runs, too.
  for (let top = 0; top < rows; top += TURNED)
    for (let column = 0; column < columns; column++)
      for (let row = top; row < Math.min(top + TURNED, rows); row++)
        turned[column * rows + row] = values[row * columns + column]!
  return { rows: columns, columns: rows, values: turned }
}

const TURNED = 16
/** Terms of a sum that are gone through while the rows in question stay in the cache. */
const TERMS = 64

/**
 * Multiplies two matrices in float64, each sum by ascending index.
 * @throws LinalgError 'matrix-size'
 */
export function multiply(left: Matrix, right: Matrix): Matrix {
  if (left.columns !== right.rows)
    throw new LinalgError({
      code: 'matrix-size',
      what: 'the right factor',
      got: `${right.rows} × ${right.columns}`,
      expected: `${left.columns} rows`,
    })
  const { columns } = right
  if (left.rows * left.columns * columns >= WORTH_COPYING) return multiplyInWorkspace(left, right)
  const values = new Float64Array(left.rows * columns)
  for (let start = 0; start < left.columns; start += TERMS) {
    const end = Math.min(start + TERMS, left.columns)
    for (let row = 0; row < left.rows; row++) {
      const into = row * columns
      let term = start
      for (; term + 3 < end; term += 4) {
        const at = row * left.columns + term
        const [a, b, c, d] = [left.values[at]!, left.values[at + 1]!, left.values[at + 2]!, left.values[at + 3]!]
        const first = term * columns
        const [second, third, fourth] = [first + columns, first + 2 * columns, first + 3 * columns]
        for (let column = 0; column < columns; column++)
          values[into + column] =
            values[into + column]! +
            a * right.values[first + column]! +
            b * right.values[second + column]! +
            c * right.values[third + column]! +
            d * right.values[fourth + column]!
      }
      for (; term < end; term++) {
        const a = left.values[row * left.columns + term]!
        for (let column = 0; column < columns; column++)
          values[into + column]! += a * right.values[term * columns + column]!
      }
    }
  }
  return { rows: left.rows, columns, values }
}

/** Products from which on WebAssembly is quicker, with its start and the copies. The sums are the same. */
const WORTH_COPYING = 2 ** 19

/** Elements of the left factor that are copied at once. */
const COPIED = 2 ** 20

function multiplyInWorkspace(left: Matrix, right: Matrix): Matrix {
  const { columns } = right
  const height = Math.max(1, Math.min(left.rows, Math.floor(COPIED / left.columns)))
  const workspace = createWorkspace(
    blockElements(height, left.columns) + blockElements(right.rows, columns) + blockElements(height, columns),
  )
  const [a, b] = [workspace.matrix(height, left.columns), workspace.matrix(right.rows, columns)]
  const product = workspace.matrix(height, columns)
  fillBlock(workspace, b, right.values)
  const values = new Float64Array(left.rows * columns)
  for (let row = 0; row < left.rows; row += height) {
    const rows = Math.min(height, left.rows - row)
    fillBlock(workspace, { ...a, rows }, left.values.subarray(row * left.columns, (row + rows) * left.columns))
    workspace.values.fill(0, product.start, product.start + rows * product.stride)
    workspace.multiplyAdd({ ...product, rows }, { ...a, rows }, rowStartsOf(b))
    values.set(readBlock(workspace, { ...product, rows }), row * columns)
  }
  return { rows: left.rows, columns, values }
}

/** Takes the leading columns of a matrix. */
export function leadingColumns({ rows, columns, values }: Matrix, count: number): Matrix {
  const leading = new Float64Array(rows * count)
  for (let row = 0; row < rows; row++) leading.set(values.subarray(row * columns, row * columns + count), row * count)
  return { rows, columns: count, values: leading }
}

/** Multiplies each column by a number. */
export function scaleColumns({ rows, columns, values }: Matrix, factors: ArrayLike<number>): Matrix {
  const scaled = new Float64Array(values.length)
  for (let row = 0, at = 0; row < rows; row++)
    for (let column = 0; column < columns; column++, at++) scaled[at] = values[at]! * factors[column]!
  return { rows, columns, values: scaled }
}

/**
 * Finds the power of two that brings the largest magnitude to [1, 2): squares then neither overflow nor vanish, and scaling rounds nothing.
 * @returns 1 for a matrix of zeros
 * @throws LinalgError 'matrix-not-finite'
 */
export function scaleOf(values: Float64Array, what: string): number {
  let largest = 0
  let bad = 0
  for (const value of values) {
    const size = Math.abs(value)
    if (!(size < Infinity)) bad++
    else if (size > largest) largest = size
  }
  if (bad > 0) throw new LinalgError({ code: 'matrix-not-finite', what, count: bad })
  if (largest === 0) return 1
  const exponent = (new Uint32Array(Float64Array.of(largest).buffer)[1]! >>> 20) - 1023
  return 2 ** -Math.max(exponent, -1022)
}

export const scaled = (values: Float64Array, factor: number): Float64Array =>
  factor === 1 ? values.slice() : values.map((value) => value * factor)

/** Dot product of two runs of elements, in four sums. */
export function dot(a: Float64Array, aStart: number, b: Float64Array, bStart: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < count; i += 4) {
    s0 += a[aStart + i]! * b[bStart + i]!
    s1 += a[aStart + i + 1]! * b[bStart + i + 1]!
    s2 += a[aStart + i + 2]! * b[bStart + i + 2]!
    s3 += a[aStart + i + 3]! * b[bStart + i + 3]!
  }
  for (; i < count; i++) s0 += a[aStart + i]! * b[bStart + i]!
  return s0 + s2 + (s1 + s3)
}
