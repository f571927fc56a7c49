import type { DenseMatrix } from '@mk/tensor'

/** What is made of XᵀX before it is used. */
export interface InputStatistics {
  /** Factor on all of it. */
  readonly weight: number
  /** Factor on what is off the diagonal. */
  readonly alpha: number
  /** Added to the diagonal, as a share of its mean. */
  readonly damping: number
}

/** Elements that face each other may differ by this share of the largest on the diagonal, as sums in 16 bits do. */
const ASYMMETRY = 1e-2

/** Scales XᵀX as the settings say. @returns symmetric values, or what keeps it from being XᵀX */
export function scaleStatistics(
  matrix: DenseMatrix,
  { weight, alpha, damping }: InputStatistics,
): { readonly values: DenseMatrix; readonly problem?: 'not finite' | 'a negative diagonal' | 'not symmetric' } {
  const { rows: size, values } = matrix
  if (!values.every(Number.isFinite)) return { values: matrix, problem: 'not finite' }
  let [mean, largest, least] = [0, 0, 0]
  for (let i = 0; i < size; i++) {
    const own = values[i * (size + 1)]!
    mean += own / size
    largest = Math.max(largest, own)
    least = Math.min(least, own)
  }
  if (least < 0) return { values: matrix, problem: 'a negative diagonal' }
  const scaled = new Float64Array(values.length)
  let difference = 0
  for (let row = 0; row < size; row++) {
    scaled[row * (size + 1)] = weight * (values[row * (size + 1)]! + damping * mean)
    for (let column = 0; column < row; column++) {
      const [low, high] = [values[row * size + column]!, values[column * size + row]!]
      difference = Math.max(difference, Math.abs(low - high))
      const both = (weight * alpha * (low + high)) / 2
      scaled[row * size + column] = both
      scaled[column * size + row] = both
    }
  }
  const isSymmetric = difference <= ASYMMETRY * largest
  return { values: { ...matrix, values: scaled }, ...(!isSymmetric && { problem: 'not symmetric' as const }) }
}

/** Adds one matrix to another, in place of a third one of that size. */
export function sumMatrices({ values: into }: DenseMatrix, { values }: DenseMatrix): void {
  for (let i = 0; i < into.length; i++) into[i]! += values[i]!
}
