import { readFileSync } from 'node:fs'
import { createMatrix, type Matrix, multiply, scaleColumns, transpose } from '../matrix.ts'

export interface Decomposition {
  readonly name: string
  readonly matrix: Matrix
  readonly singular: readonly number[]
  /** Of AᵀA. */
  readonly eigen?: readonly number[]
  readonly right?: Matrix
  /** Of (AᵀA + 1)·X = right. */
  readonly solution?: Matrix
}

type Stored = Omit<Decomposition, 'matrix' | 'right' | 'solution'> &
  Record<'matrix', number[][]> &
  Partial<Record<'right' | 'solution', number[][]>>

/** What numpy makes of some matrices (make-decompositions.py). */
export const decompositions: readonly Decomposition[] = (
  JSON.parse(readFileSync(new URL('./decompositions.json', import.meta.url), 'utf8')) as Stored[]
).map(({ name, matrix, singular, eigen, right, solution }) => ({
  name,
  matrix: ofRows(matrix),
  singular,
  ...(eigen && { eigen }),
  ...(right && { right: ofRows(right) }),
  ...(solution && { solution: ofRows(solution) }),
}))

export function ofRows(rows: readonly (readonly number[])[]): Matrix {
  return createMatrix(rows.length, rows[0]!.length, Float64Array.from(rows.flat()))
}

/** Numbers from −0.5 to 0.5, the same ones for a seed. */
export function random(rows: number, columns: number, seed = 1): Matrix {
  let state = seed
  const next = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32 - 0.5
  return createMatrix(rows, columns, Float64Array.from({ length: rows * columns }, next))
}

export const identity = (size: number): Matrix =>
  createMatrix(
    size,
    size,
    Float64Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0)),
  )

/** U·diag(values)·Vᵀ. */
export const compose = (u: Matrix, values: ArrayLike<number>, v: Matrix): Matrix =>
  multiply(scaleColumns(u, values), transpose(v))

/** The largest difference of two elements. */
export function distance(a: Matrix, b: Matrix): number {
  if (a.rows !== b.rows || a.columns !== b.columns) return Infinity
  return a.values.reduce((most, value, i) => Math.max(most, Math.abs(value - b.values[i]!)), 0)
}

/** How far columns are from being orthonormal. */
export const orthogonalityError = (matrix: Matrix): number =>
  distance(multiply(transpose(matrix), matrix), identity(matrix.columns))

/** The Frobenius norm. */
export const norm = ({ values }: Matrix): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))

export const subtract = (a: Matrix, b: Matrix): Matrix =>
  createMatrix(
    a.rows,
    a.columns,
    a.values.map((value, i) => value - b.values[i]!),
  )
