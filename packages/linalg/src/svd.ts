import { LinalgError } from './errors.ts'
import { type Block, blockElements, createWorkspace, fillBlock, readBlock } from './kernels/workspace.ts'
import { createMatrix, dot, leadingColumns, type Matrix, multiply, scaled, scaleOf, transpose } from './matrix.ts'
import { descending, signOf } from './order.ts'
import { completeBasis, qr } from './qr.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** A = U·diag(values)·Vᵀ, with k = min(rows, columns). */
export interface Svd {
  /** rows × k, orthonormal columns; the element of largest magnitude of each is positive. */
  readonly u: Matrix
  /** Descending, not negative. */
  readonly values: Float64Array
  /** columns × k, orthonormal columns. */
  readonly v: Matrix
}

const MOST_SWEEPS = 60
/** From so many rows on, the eigenvectors of the Gram matrix bring rows near to orthogonality first. */
const PREPARED = 64

/**
 * Decomposes a matrix of any shape: QR, then one-sided Jacobi rotations of the triangle's rows (Golub & Van Loan, Matrix
 * Computations, 8.6.3). Singular values are right to some 1e-15 of the largest one; vectors of equal or nearly equal values are some
 * basis of what they span.
 * @throws LinalgError 'matrix-not-finite'
 */
export function svd(matrix: Matrix): Svd {
  if (matrix.rows < matrix.columns) {
    const { u, values, v } = svd(transpose(matrix))
    return withSigns(v, values, u)
  }
  const scale = scaleOf(matrix.values, 'a matrix to be decomposed')
  const { q, r } = qr({ ...matrix, values: scaled(matrix.values, scale) })
  const { left, rows } = orthogonalize(r)
  const size = r.rows
  const lengths = Float64Array.from({ length: size }, (_, i) => Math.sqrt(dot(rows, i * size, rows, i * size, size)))
  const order = descending(lengths)
  const values = Float64Array.from(order, (from) => lengths[from]!)
  const v = directions(rows, order, values)
  const u = new Float64Array(size * size)
  order.forEach((from, to) => u.set(left.subarray(from * size, (from + 1) * size), to * size))
  return withSigns(
    multiply(q, transpose(createMatrix(size, size, u))),
    values.map((value) => value / scale),
    v,
  )
}

/** Rows of `left` · r that are orthogonal to one another, with an orthogonal `left`. */
function orthogonalize(r: Matrix): { readonly left: Float64Array; readonly rows: Float64Array } {
  const size = r.rows
  const prepared = size >= PREPARED
  const basis = prepared ? transpose(symmetricEigen(multiply(r, transpose(r))).vectors) : identity(size)
  const workspace = createWorkspace(2 * blockElements(size, size))
  const [left, rows] = [workspace.matrix(size, size), workspace.matrix(size, size)]
  fillBlock(workspace, left, basis.values)
  fillBlock(workspace, rows, prepared ? multiply(basis, r).values : r.values)
  const rowOf = ({ start, stride }: Block, row: number) => start + row * stride
  const overlapOf = (i: number, j: number) => workspace.dot(rowOf(rows, i), rowOf(rows, j), size)
  const squares = new Float64Array(size)
  // What rounding makes of the overlap of orthogonal rows.
  const orthogonal = 2 * Math.sqrt(size) * Number.EPSILON
  for (let sweep = 0; ; sweep++) {
    if (sweep === MOST_SWEEPS)
      throw new LinalgError({
        code: 'no-convergence',
        what: 'the singular value decomposition',
        iterations: MOST_SWEEPS,
      })
    for (let i = 0; i < size; i++) squares[i] = overlapOf(i, i)
    let largest = 0
    for (const square of squares) largest = Math.max(largest, square)
    // What is shorter is what rounding left of zero.
    const negligible = largest * (size * Number.EPSILON) ** 2
    let turned = false
    for (let i = 0; i + 1 < size; i++) {
      for (let j = i + 1; j < size; j++) {
        const [a, b] = [squares[i]!, squares[j]!]
        if (a <= negligible || b <= negligible) continue
        const overlap = overlapOf(i, j)
        if (Math.abs(overlap) <= orthogonal * Math.sqrt(a * b)) continue
        turned = true
        const ζ = (b - a) / (2 * overlap)
        const t = (ζ < 0 ? -1 : 1) / (Math.abs(ζ) + Math.sqrt(1 + ζ * ζ))
        const c = 1 / Math.sqrt(1 + t * t)
        for (const block of [rows, left]) workspace.rotate(rowOf(block, i), rowOf(block, j), size, { c, s: c * t })
        squares[i] = Math.max(0, a - t * overlap)
        squares[j] = b + t * overlap
      }
    }
    if (!turned) return { left: readBlock(workspace, left), rows: readBlock(workspace, rows) }
  }
}

/** The rows' directions as columns, in order; where a row has none, any that make the basis whole. */
function directions(rows: Float64Array, order: readonly number[], values: Float64Array): Matrix {
  const size = values.length
  const least = (values[0] ?? 0) * size * Number.EPSILON
  const found = values.findIndex((value) => !(value > least))
  const rank = found < 0 ? size : found
  const turned = new Float64Array(size * size)
  for (let to = 0; to < rank; to++) {
    const row = order[to]! * size
    for (let k = 0; k < size; k++) turned[to * size + k] = rows[row + k]! / values[to]!
  }
  const columns = transpose(createMatrix(size, size, turned))
  if (rank === size) return columns
  const whole = completeBasis(leadingColumns(columns, rank))
  for (let row = 0; row < size; row++)
    whole.values.set(columns.values.subarray(row * size, row * size + rank), row * size)
  return whole
}

/** Turns pairs of columns so that those of u have their sign. */
function withSigns(u: Matrix, values: Float64Array, v: Matrix): Svd {
  const [left, right] = [transpose(u), transpose(v)]
  for (let column = 0; column < values.length; column++) {
    const vector = left.values.subarray(column * left.columns, (column + 1) * left.columns)
    if (signOf(vector) === 1) continue
    for (let i = 0; i < vector.length; i++) vector[i] = -vector[i]!
    const other = right.values.subarray(column * right.columns, (column + 1) * right.columns)
    for (let i = 0; i < other.length; i++) other[i] = -other[i]!
  }
  return { u: transpose(left), values, v: transpose(right) }
}

function identity(size: number): Matrix {
  const matrix = createMatrix(size, size)
  for (let i = 0; i < size; i++) matrix.values[i * size + i] = 1
  return matrix
}
