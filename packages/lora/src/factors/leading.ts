import { createMatrix, type Operator, randomizedSvd, type Svd, svd } from '@mk/linalg'
import { NOISE, type Product } from './product.ts'

/** Up to this smaller side a matrix is decomposed exactly. */
const EXACT_SIZE = 96
/** Elements of a matrix that is decomposed exactly: it is in memory as float64, some times over. */
const EXACT_ELEMENTS = 2 ** 21

/** The leading singular values and vectors of a matrix, perhaps more of them than asked for, and its squared Frobenius norm. */
export interface LeadingVectors extends Svd {
  readonly squaredNorm: number
}

/**
 * Finds the leading singular values of a matrix that streams: exactly where its smaller side is at most 96, else by a randomized SVD.
 * @throws LinalgError 'not-finite-norm', 'matrix-not-finite'
 */
export async function leadingVectors(
  operator: Operator,
  { maxRank, seed }: { readonly maxRank: number; readonly seed: number },
): Promise<LeadingVectors> {
  const { rows, columns } = operator
  const size = Math.min(rows, columns)
  const squaredNorm = await operator.squaredNorm()
  if (squaredNorm === 0 || size > EXACT_SIZE || rows * columns > EXACT_ELEMENTS)
    return randomizedSvd(operator, { rank: maxRank, seed, squaredNorm })
  const unit = createMatrix(columns, columns)
  for (let i = 0; i < columns; i++) unit.values[i * columns + i] = 1
  return { ...svd(await operator.multiply(unit)), squaredNorm }
}

/** Which of the leading vectors become factors, and how. */
export interface FactorChoice {
  /** The most ranks. */
  readonly maxRank: number
  /** Singular values must be larger; 0 if absent. */
  readonly svEpsilon?: number
  /** As few ranks as hold this share of the squared norm; all of `maxRank` if absent. */
  readonly energy?: number | undefined
  /** Whether √σ goes to both factors, or σ to `a`; true if absent. */
  readonly distributeScale?: boolean
  /** Whether the matrix is stored as [in, out]. */
  readonly transposed: boolean
}

/** Chooses the rank, and spreads the singular values over both factors. @returns also the squares of what the factors hold */
export function factorsOf(
  { u, values, v, squaredNorm }: LeadingVectors,
  { maxRank, svEpsilon = 0, energy, distributeScale = true, transposed }: FactorChoice,
): { readonly product: Product; readonly squares: number } {
  const most = Math.min(maxRank, values.length)
  let rank = 0
  let squares = 0
  while (rank < most) {
    const value = values[rank]!
    if (!(value > svEpsilon) || value <= NOISE * values[0]!) break
    if (energy !== undefined && squares >= energy * squaredNorm) break
    squares += value * value
    rank++
  }
  const [left, right] = transposed ? [v, u] : [u, v]
  const [ofLeft, ofRight] = distributeScale
    ? [values.map(Math.sqrt), values.map(Math.sqrt)]
    : [values.map(() => 1), values]
  const b = createMatrix(left.rows, rank)
  for (let row = 0; row < left.rows; row++)
    for (let i = 0; i < rank; i++) b.values[row * rank + i] = left.values[row * left.columns + i]! * ofLeft[i]!
  const a = createMatrix(rank, right.rows)
  for (let i = 0; i < rank; i++)
    for (let column = 0; column < right.rows; column++)
      a.values[i * right.rows + column] = right.values[column * right.columns + i]! * ofRight[i]!
  return { product: { b, a }, squares }
}
