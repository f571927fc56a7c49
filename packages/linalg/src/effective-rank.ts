import { uniformAt } from '@mk/tensor/runtime'
import { createMatrix, type Matrix, multiply, transpose } from './matrix.ts'
import { qr } from './qr.ts'
import { symmetricEigen } from './symmetric-eigen.ts'

/** How many dimensions a matrix uses, by how evenly its singular values are spread. */
export interface EffectiveRank {
  /** From 1 to the smaller dimension; 0 of a matrix of zeros. */
  readonly rank: number
  /** Whether it was estimated from a part of the spectrum, and from random vectors. */
  readonly isEstimate: boolean
}

/** How a spectrum is looked at. */
export interface EffectiveRankOptions {
  /** Up to so many rows all eigenvalues are computed; 1024 if absent. */
  readonly mostExact?: number
  /** Of the random vectors; 0 if absent. */
  readonly seed?: number
}

/** Eigenvalues of a Gram matrix below this share of the largest are noise of float32 products. */
const NOISE = 1e-6
/** Leading directions that are taken out of a large matrix, and the power iterations that find them. */
const LEADING = { count: 64, iterations: 3 }
/** Of the rest: random vectors, and steps of Lanczos from each. */
const PROBES = 16
const STEPS = 48

/**
 * Computes the effective rank exp(−Σ p·log p), p = σ ÷ Σ σ, of the singular values σ of a matrix from its Gram matrix (Roy & Vetterli
 * 2007, The effective rank). Singular values below a thousandth of the largest count as 0: products in float32 don't tell them from it.
 * Of a large Gram matrix the leading eigenvalues are found, and the sums over the others estimated by Lanczos quadrature from random
 * vectors (Ubaru, Chen & Saad 2017).
 * @param gram symmetric, positive semidefinite
 * @throws LinalgError 'matrix-size' or 'matrix-not-finite'
 */
export function effectiveRank(gram: Matrix, { mostExact = 1024, seed = 0 }: EffectiveRankOptions = {}): EffectiveRank {
  const isEstimate = gram.rows > mostExact
  const { sum, sumOfLogs } = isEstimate ? estimateSums(gram, seed) : exactSums(gram)
  return { rank: sum === 0 ? 0 : Math.exp(Math.log(sum) - sumOfLogs / sum), isEstimate }
}

/** Σ σ and Σ σ·log σ. */
interface SpectralSums {
  readonly sum: number
  readonly sumOfLogs: number
}

/** Adds up eigenvalues of the Gram matrix, each so often. */
function sumsOf(eigenvalues: ArrayLike<number>, weights: ArrayLike<number> | undefined, least: number): SpectralSums {
  let [sum, sumOfLogs] = [0, 0]
  for (let i = 0; i < eigenvalues.length; i++) {
    const value = eigenvalues[i]!
    if (!(value > least)) continue
    const weight = weights?.[i] ?? 1
    const singular = Math.sqrt(value)
    sum += weight * singular
    sumOfLogs += weight * singular * Math.log(singular)
  }
  return { sum, sumOfLogs }
}

function exactSums(gram: Matrix): SpectralSums {
  const { values } = symmetricEigen(gram)
  return sumsOf(values, undefined, NOISE * (values[0] ?? 0))
}

function estimateSums(gram: Matrix, seed: number): SpectralSums {
  const size = gram.rows
  // Of few directions, which a random vector may miss, nothing is left to chance.
  let basis = qr(multiply(gram, signs(size, LEADING.count, seed))).q
  for (let i = 1; i < LEADING.iterations; i++) basis = qr(multiply(gram, basis)).q
  const image = multiply(gram, basis)
  const { values } = symmetricEigen(multiply(transpose(basis), image))
  const least = NOISE * values[0]!
  const leading = sumsOf(values, undefined, least)
  if (values.at(-1)! <= least) return leading

  const probes = without(basis, signs(size, PROBES, seed + 1))
  let [sum, sumOfLogs] = [leading.sum, leading.sumOfLogs]
  // The squared lengths of the probes have this mean.
  const each = (size - basis.columns) / PROBES
  for (const { eigenvalues, weights } of lanczos(gram, basis, probes)) {
    const found = sumsOf(eigenvalues, weights, least)
    sum += each * found.sum
    sumOfLogs += each * found.sumOfLogs
  }
  return { sum, sumOfLogs }
}

interface Quadrature {
  readonly eigenvalues: Float64Array
  readonly weights: Float64Array
}

/** Makes a quadrature from each column, all of which go through the matrix together. */
function lanczos(gram: Matrix, basis: Matrix, start: Matrix): readonly Quadrature[] {
  const [size, count] = [start.rows, start.columns]
  const steps = Math.min(STEPS, size - basis.columns)
  let current = withUnitColumns(start, columnLengths(start))
  const earlier: Matrix[] = []
  const diagonals = Array.from({ length: count }, () => createMatrix(steps, steps))
  const isExhausted = Array.from({ length: count }, () => false)
  for (let step = 0; step < steps; step++) {
    earlier.push(current)
    let next = without(basis, multiply(gram, current))
    const alphas = columnProducts(current, next)
    // Twice is enough to keep them orthogonal.
    for (let turn = 0; turn < 2; turn++) for (const before of earlier) next = subtractAlong(next, before)
    const betas = columnLengths(next)
    for (let probe = 0; probe < count; probe++) {
      if (isExhausted[probe]!) continue
      const matrix = diagonals[probe]!
      matrix.values[step * steps + step] = alphas[probe]!
      isExhausted[probe] = step + 1 === steps || betas[probe]! <= NOISE * Math.abs(alphas[probe]!)
      if (isExhausted[probe]) continue
      matrix.values[step * steps + step + 1] = betas[probe]!
      matrix.values[(step + 1) * steps + step] = betas[probe]!
    }
    current = withUnitColumns(next, betas)
  }
  return diagonals.map((matrix) => {
    const { values, vectors } = symmetricEigen(matrix)
    return { eigenvalues: values, weights: values.map((_, i) => vectors.values[i]! ** 2) }
  })
}

/** Takes the directions of orthonormal columns out of others. */
function without(basis: Matrix, columns: Matrix): Matrix {
  const along = multiply(basis, multiply(transpose(basis), columns))
  return createMatrix(
    columns.rows,
    columns.columns,
    columns.values.map((value, i) => value - along.values[i]!),
  )
}

/** Takes out of each column its part along the column of the other. */
function subtractAlong(columns: Matrix, directions: Matrix): Matrix {
  const products = columnProducts(directions, columns)
  return createMatrix(
    columns.rows,
    columns.columns,
    columns.values.map((value, i) => value - products[i % columns.columns]! * directions.values[i]!),
  )
}

function columnProducts(a: Matrix, b: Matrix): Float64Array {
  const products = new Float64Array(a.columns)
  for (let i = 0; i < a.values.length; i++) products[i % a.columns]! += a.values[i]! * b.values[i]!
  return products
}

const columnLengths = (matrix: Matrix): Float64Array => columnProducts(matrix, matrix).map(Math.sqrt)

/** Divides each column by its length; those of length 0 stay. */
const withUnitColumns = ({ rows, columns, values }: Matrix, lengths: Float64Array): Matrix =>
  createMatrix(
    rows,
    columns,
    values.map((value, i) => value / (lengths[i % columns]! || 1)),
  )

function signs(rows: number, columns: number, seed: number): Matrix {
  const key = { high: seed >>> 0, low: 0x4a6b }
  return createMatrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, (_, i) => (uniformAt(key, i) < 0.5 ? -1 : 1)),
  )
}
