import type { DenseMatrix, Expression } from '@mk/tensor'
import type { MethodContext } from '../declare/define-method.ts'
import { scaleColumns, type ShorterSide, trace } from './shorter-side.ts'

/** The polar factor of a matrix that streams, as the matrix that makes it of it. */
export interface StreamedPolar {
  /** A·turn has singular values of 1 where A has any above 1e-3 of the largest, and smaller ones or none where A has less. */
  readonly turn: DenseMatrix
  /** The singular values of A, summed: those that it makes 1. */
  readonly nuclearNorm: number
}

/** Eigenvalues of a Gram matrix below this share of the largest are noise of float32 products. */
const NOISE = 1e-6
const MOST_STEPS = 4
/** Mean distance of the squared singular values from 1 at which the iteration ends. */
const SETTLED = 1e-5

/**
 * Finds the polar factor U·Vᵀ of a matrix U·Σ·Vᵀ that is never held: by the eigenvectors of its Gram matrix, then by steps of
 * Newton–Schulz on what that makes of it, x ← x·(3 − x²)/2, which mend what the Gram matrix doesn't tell of small singular values.
 * @param gram of the matrix, finite and not zero
 */
export async function streamedPolar(
  matrix: Expression,
  gram: DenseMatrix,
  side: ShorterSide,
  { products, linalg }: MethodContext,
): Promise<StreamedPolar> {
  const { values, vectors } = await linalg.symmetricEigen(gram)
  const singular = values.map((value) => Math.sqrt(Math.max(value, 0)))
  const least = Math.sqrt(NOISE) * singular[0]!
  const inverse = singular.map((value) => 1 / Math.max(value, least))
  let turn = await linalg.multiply(scaleColumns(vectors, inverse), vectors, { rightTransposed: true })
  for (let step = 0; step < MOST_STEPS; step++) {
    const { turned } = await products({ turned: side.cross(side.times(matrix, turn)) })
    if (defect(turned) < SETTLED * side.short) break
    turn = await linalg.multiply(turn, newtonStep(turned))
  }
  return { turn, nuclearNorm: traceOfProduct(gram, turn) }
}

/** The trace of Gᵀ·T: the lengths that a Gram matrix has where nothing is, T has not. */
function traceOfProduct({ values }: DenseMatrix, turn: DenseMatrix): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]! * turn.values[i]!
  return sum
}

/** How far squared singular values are from 0 and 1, summed: what is near 0 belongs to no direction of the matrix. */
function defect({ rows, values }: DenseMatrix): number {
  let squares = 0
  for (const value of values) squares += value * value
  return Math.abs(trace({ rows, columns: rows, values }) - squares)
}

const newtonStep = ({ rows, columns, values }: DenseMatrix): DenseMatrix => ({
  rows,
  columns,
  values: values.map((value, i) => (i % (columns + 1) === 0 ? 1.5 : 0) - value / 2),
})
