import { dot, type Matrix, scaled, scaleOf, transpose } from './matrix.ts'

/** A = Q·R with orthonormal columns of Q and upper triangular R, whose diagonal is not negative. */
export interface Qr {
  /** rows × min(rows, columns) */
  readonly q: Matrix
  /** min(rows, columns) × columns */
  readonly r: Matrix
}

/**
 * Factorizes a matrix of any shape by Householder reflections. Q is orthonormal to some 1e-15 whatever the rank.
 * @throws LinalgError 'matrix-not-finite'
 */
export function qr(matrix: Matrix): Qr {
  const { rows, columns } = matrix
  const size = Math.min(rows, columns)
  const { reflected, scale, signs } = reflect(matrix)
  const r = new Float64Array(size * columns)
  for (let row = 0; row < size; row++)
    for (let column = row; column < columns; column++)
      r[row * columns + column] = (signs[row]! * reflected.values[column * rows + row]!) / scale
  for (let row = 0; row < size; row++) r[row * columns + row] = Math.abs(r[row * columns + row]!)
  return { q: basis(reflected, signs, size), r: { rows: size, columns, values: r } }
}

/**
 * Finds an orthonormal basis of the whole space whose first columns are an orthonormal basis of the columns of a matrix that has
 * no more columns than rows.
 * @returns rows × rows
 * @throws LinalgError 'matrix-not-finite'
 */
export function completeBasis(matrix: Matrix): Matrix {
  const { reflected, signs } = reflect(matrix)
  return basis(reflected, signs, matrix.rows)
}

interface Reflected {
  /** Transposed: each row holds R of a column of the matrix up to the diagonal, from where on the reflection's vector replaces it. */
  readonly reflected: Matrix & { readonly heads: Float64Array; readonly norms: Float64Array }
  readonly scale: number
  /** What R's rows, and Q's columns, are to be multiplied with. */
  readonly signs: Float64Array
}

function reflect(matrix: Matrix): Reflected {
  const { rows, columns } = matrix
  const scale = scaleOf(matrix.values, 'a matrix to be factorized')
  const turned = transpose(matrix)
  const values = scale === 1 ? turned.values : scaled(turned.values, scale)
  const size = Math.min(rows, columns)
  const heads = new Float64Array(size)
  const norms = new Float64Array(size)
  const signs = new Float64Array(size).fill(1)
  for (let step = 0; step < size; step++) {
    const start = step * rows + step
    const length = rows - step
    const head = values[start]!
    const tail = dot(values, start + 1, values, start + 1, length - 1)
    if (tail === 0) {
      // Nothing to reflect.
      signs[step] = head < 0 ? -1 : 1
      continue
    }
    const norm = Math.sqrt(head * head + tail)
    // The vector is the column but for its head, which is moved away from zero.
    const moved = head < 0 ? head - norm : head + norm
    heads[step] = moved
    norms[step] = (moved * moved + tail) / 2
    signs[step] = head < 0 ? 1 : -1
    values[start] = moved
    for (let column = step + 1; column < columns; column++)
      applyReflection({ vector: values, vectorStart: start, norm: norms[step]! }, values, column * rows + step, length)
    values[start] = head < 0 ? norm : -norm
  }
  return { reflected: { rows: columns, columns: rows, values, heads, norms }, scale, signs }
}

interface Reflection {
  readonly vector: Float64Array
  readonly vectorStart: number
  /** Half of the vector's squared length. */
  readonly norm: number
}

function applyReflection(
  { vector, vectorStart, norm }: Reflection,
  values: Float64Array,
  start: number,
  length: number,
): void {
  const factor = dot(vector, vectorStart, values, start, length) / norm
  for (let i = 0; i < length; i++) values[start + i]! -= factor * vector[vectorStart + i]!
}

/** Columns of Q, as many as `count`: what the reflections make of those of the identity. */
function basis(
  { columns: rows, values, heads, norms }: Reflected['reflected'],
  signs: Float64Array,
  count: number,
): Matrix {
  const turned = new Float64Array(count * rows)
  for (let column = 0; column < count; column++) turned[column * rows + column] = signs[column] ?? 1
  for (let step = heads.length - 1; step >= 0; step--) {
    if (norms[step] === 0) continue
    const start = step * rows + step
    const diagonal = values[start]!
    values[start] = heads[step]!
    for (let column = step; column < count; column++)
      applyReflection(
        { vector: values, vectorStart: start, norm: norms[step]! },
        turned,
        column * rows + step,
        rows - step,
      )
    values[start] = diagonal
  }
  return transpose({ rows: count, columns: rows, values: turned })
}
