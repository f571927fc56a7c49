import { uniformAt } from '@mk/tensor/runtime'
import { createMatrix, leadingColumns, type Matrix, multiply, transpose } from './matrix.ts'
import type { Operator } from './operator.ts'
import { qr } from './qr.ts'
import { type Svd, svd } from './svd.ts'

/** How many singular values are to be found, and with how much effort. */
export interface RandomizedSvdOptions {
  /** Singular values to find; at most min(rows, columns) are. */
  readonly rank: number
  /** Columns of the sketch beyond the rank: max(10, rank / 4) if absent. */
  readonly oversampling?: number
  /** Of the sketch; 0 if absent. */
  readonly seed?: number
  /** The iteration ends when another one would lessen the error of the approximation by less than this share: 0.002 if absent. */
  readonly tolerance?: number
  /** At most so many power iterations: 12 if absent. */
  readonly mostIterations?: number
  /** Of the operator, where it is known already. */
  readonly squaredNorm?: number
}

export interface RandomizedSvd extends Svd {
  /** Power iterations that were made, each two products with the operator. */
  readonly iterations: number
  /** The squared Frobenius norm of the operator, and of what the approximation leaves of it. */
  readonly squaredNorm: number
  readonly squaredError: number
}

/** What products in float32 don't tell apart from nothing, as a share of the squared norm. */
const NOISE = 1e-9

/**
 * Finds the leading singular values and vectors by subspace iteration from a random sketch (Halko, Martinsson & Tropp 2011,
 * arXiv:0909.4061, algorithms 4.4 and 5.1): products with A and Aᵀ in turns, each orthonormalized by QR. It goes on until the
 * captured share of the norm stands still, so that also a slowly falling spectrum is approximated as well as it can be: what
 * the approximation leaves is within `tolerance`, or little more, of the least possible.
 *
 * The sketch holds ±1, so that the result depends on the seed and the operator's bytes only.
 * @returns u: rows × k, v: columns × k, with k = min(rank, rows, columns)
 * @throws LinalgError 'not-finite-norm', or 'matrix-not-finite' where products overflow
 */
export async function randomizedSvd(
  operator: Operator,
  { rank, oversampling, seed = 0, tolerance = 0.002, mostIterations = 12, squaredNorm: known }: RandomizedSvdOptions,
): Promise<RandomizedSvd> {
  const { rows, columns } = operator
  const size = Math.min(rows, columns)
  const kept = Math.min(rank, size)
  const squaredNorm = known ?? (await operator.squaredNorm())
  if (kept === 0 || squaredNorm === 0) return nothing(operator, kept, squaredNorm)
  const width = Math.min(size, kept + Math.max(oversampling ?? Math.max(10, Math.ceil(rank / 4)), 0))

  let left = qr(await operator.multiply(sketch(columns, width, seed))).q
  let [captured, lastGain] = [0, 0]
  for (let iterations = 0; ; iterations++) {
    // A ≈ left·leftᵀ·A = left·rᵀ·qᵀ
    const { q, r } = qr(await operator.multiplyTransposed(left))
    const core = svd(transpose(r))
    let next = 0
    for (let i = 0; i < kept; i++) next += core.values[i]! ** 2
    const gain = Math.max(0, next - captured)
    const rest = Math.max(0, squaredNorm - next)
    // Gains shrink geometrically, or faster.
    const ratio = Math.min(gain / lastGain, 0.9)
    const toCome = iterations < 2 ? gain : (gain * ratio) / (1 - ratio)
    if (
      width === size ||
      toCome <= 2 * tolerance * rest ||
      (iterations > 0 && gain <= NOISE * squaredNorm) ||
      iterations === mostIterations
    ) {
      return {
        u: multiply(left, leadingColumns(core.u, kept)),
        values: core.values.slice(0, kept),
        v: multiply(q, leadingColumns(core.v, kept)),
        iterations,
        squaredNorm,
        squaredError: rest,
      }
    }
    ;[captured, lastGain] = [next, gain]
    left = qr(await operator.multiply(q)).q
  }
}

function nothing({ rows, columns }: Operator, kept: number, squaredNorm: number): RandomizedSvd {
  const zero = svd(createMatrix(kept, kept))
  const spread = (size: number): Matrix => {
    const matrix = createMatrix(size, kept)
    for (let i = 0; i < kept; i++) matrix.values[i * kept + i] = 1
    return matrix
  }
  return {
    u: spread(rows),
    values: zero.values,
    v: spread(columns),
    iterations: 0,
    squaredNorm,
    squaredError: squaredNorm,
  }
}

function sketch(rows: number, columns: number, seed: number): Matrix {
  const key = { high: seed >>> 0, low: 0x5eed }
  return createMatrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, (_, i) => (uniformAt(key, i) < 0.5 ? -1 : 1)),
  )
}
