import { createReflector, type Reflector, reflectorElements } from './kernels/reflections.ts'
import {
  type Block,
  blockElements,
  blockOf,
  createWorkspace,
  fillBlock,
  readBlock,
  type Workspace,
} from './kernels/workspace.ts'
import { dot, type Matrix, scaleOf, transpose } from './matrix.ts'

/** A = Q·R with orthonormal columns of Q and upper triangular R, whose diagonal is not negative. */
export interface Qr {
  /** rows × min(rows, columns) */
  readonly q: Matrix
  /** min(rows, columns) × columns */
  readonly r: Matrix
}

/** Columns that are reflected one after the other before the rest of the matrix is, by products. */
const PANEL = 32
/** Rows up to which reflections are applied one after the other: putting them together takes longer. */
const FEW = 64

/**
 * Factorizes a matrix of any shape by Householder reflections, many at a time. Q is orthonormal to some 1e-15 whatever the rank.
 * @throws LinalgError 'matrix-not-finite'
 */
export function qr(matrix: Matrix): Qr {
  const { rows, columns } = matrix
  const size = Math.min(rows, columns)
  const { workspace, turned, signs, scale, ...reflected } = reflect(matrix, size)
  const { values } = workspace
  const r = new Float64Array(size * columns)
  for (let row = 0; row < size; row++)
    for (let column = row; column < columns; column++)
      r[row * columns + column] = (signs[row]! * values[turned.start + column * turned.stride + row]!) / scale
  for (let row = 0; row < size; row++) r[row * columns + row] = Math.abs(r[row * columns + row]!)
  return { q: basis({ workspace, turned, signs, ...reflected }, size), r: { rows: size, columns, values: r } }
}

/**
 * Finds an orthonormal basis of the whole space whose first columns are an orthonormal basis of the columns of a matrix that has
 * no more columns than rows.
 * @returns rows × rows
 * @throws LinalgError 'matrix-not-finite'
 */
export function completeBasis(matrix: Matrix): Matrix {
  return basis(reflect(matrix, matrix.rows), matrix.rows)
}

interface Reflected {
  readonly workspace: Workspace
  readonly reflector: Reflector
  /** Each row holds R of a column of the matrix up to the diagonal, from where on the reflection's vector replaces it. */
  readonly turned: Block
  /** Where there is room for a vector. */
  readonly vector: number
  /** First elements of the vectors, where R's diagonal stands, and half their squared lengths; 0 where nothing is reflected. */
  readonly heads: Float64Array
  readonly norms: Float64Array
  /** What R's rows, and Q's columns, are to be multiplied with. */
  readonly signs: Float64Array
  readonly q: Block
}

/** @param count columns of Q that there is to be room for */
function reflect(matrix: Matrix, count: number): Reflected & { readonly scale: number } {
  const { rows, columns } = matrix
  const scale = scaleOf(matrix.values, 'a matrix to be factorized')
  const size = Math.min(rows, columns)
  const most = Math.max(columns, count)
  const workspace = createWorkspace(
    blockElements(columns, rows) + blockElements(count, rows) + blockElements(1, rows) + reflectorElements(most, rows),
  )
  const { values } = workspace
  const turned = workspace.matrix(columns, rows)
  const q = workspace.matrix(count, rows)
  const vector = workspace.matrix(1, rows).start
  const reflector = createReflector(workspace, most, rows)
  fillBlock(workspace, turned, transpose(matrix).values, scale)
  const heads = new Float64Array(size)
  const norms = new Float64Array(size)
  const signs = new Float64Array(size).fill(1)
  const reflected = { workspace, reflector, turned, vector, heads, norms, signs, q, scale }
  for (let from = 0; from < size; from += PANEL) {
    const to = Math.min(from + PANEL, size)
    for (let step = from; step < to; step++) {
      const start = turned.start + step * turned.stride + step
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
      values[start] = head < 0 ? norm : -norm
      applyOne(reflected, blockOf(turned, { row: step + 1, rows: to - step - 1, columns: rows }), step)
    }
    applyPanel(reflected, blockOf(turned, { row: to, rows: columns - to, columns: rows }), { from, to })
  }
  return reflected
}

/** Applies one reflection to rows, from its diagonal on. */
function applyOne({ workspace, turned, vector, heads, norms }: Reflected, rows: Block, step: number): void {
  if (norms[step] === 0) return
  const { values } = workspace
  const start = turned.start + step * turned.stride + step
  const length = turned.columns - step
  values.copyWithin(vector, start, start + length)
  values[vector] = heads[step]!
  values.fill(0, vector + length, vector + length + 4)
  workspace.reflect(vector, norms[step]!, blockOf(rows, { column: step, rows: rows.rows, columns: length }))
}

/** Applies the reflections of a panel to rows, from the panel's diagonal on. */
function applyPanel(
  reflected: Reflected,
  rows: Block,
  { from, to, isReversed = false }: { readonly from: number; readonly to: number; readonly isReversed?: boolean },
): void {
  const { reflector, turned, heads, norms } = reflected
  const own = norms.subarray(from, to)
  if (rows.rows === 0 || own.every((norm) => norm === 0)) return
  if (rows.rows <= FEW) {
    for (let i = 0; i < own.length; i++) applyOne(reflected, rows, isReversed ? to - 1 - i : from + i)
    return
  }
  reflector.apply(blockOf(rows, { column: from, rows: rows.rows, columns: rows.columns - from }), {
    norms: own,
    isReversed,
    load(values, block) {
      for (let step = from; step < to; step++) {
        if (norms[step] === 0) continue
        const start = turned.start + step * turned.stride + step
        const into = block.start + (step - from) * block.stride + step - from
        values.copyWithin(into, start, start + turned.columns - step)
        values[into] = heads[step]!
      }
    },
  })
}

/** Columns of Q, as many as `count`: what the reflections make of those of the identity. */
function basis(reflected: Reflected, count: number): Matrix {
  const { workspace, turned, norms, signs, q } = reflected
  const { values } = workspace
  const rows = turned.columns
  for (let column = 0; column < count; column++) values[q.start + column * q.stride + column] = signs[column] ?? 1
  for (let from = Math.floor((norms.length - 1) / PANEL) * PANEL; from >= 0; from -= PANEL) {
    const to = Math.min(from + PANEL, norms.length)
    applyPanel(reflected, blockOf(q, { row: from, rows: count - from, columns: rows }), { from, to, isReversed: true })
  }
  return transpose({ rows: count, columns: rows, values: readBlock(workspace, q) })
}
