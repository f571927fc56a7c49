import type { DenseMatrix } from '@mk/tensor'
import type { MethodContext } from '../declare/define-method.ts'
import { trace } from './shorter-side.ts'

/** What ACE multiplies task vectors by. */
export interface AdaptedCovariances {
  /** For each model Σᵢ·(ΣΣᵢ)⁻¹, with all that is added to either. */
  readonly turns: readonly DenseMatrix[]
  /** For each model Σᵢ less the mean of all, where the models differ much. */
  readonly differing: readonly DenseMatrix[] | undefined
}

/** From which γ on models differ much: the authors'. */
const MUCH = 0.3
const TINY = 1e-12

/**
 * Makes of the Gram matrices of task vectors what they are multiplied by.
 * @param grams of centered ones, positive semidefinite
 * @param traces of those that are not
 */
export async function adaptCovariances(
  grams: readonly DenseMatrix[],
  traces: readonly number[],
  eps: number,
  { linalg }: MethodContext,
): Promise<AdaptedCovariances> {
  const differ = gammaOf(traces) > MUCH
  const scales = grams.map((gram) => (differ ? 1 / (trace(gram) + TINY) : 1))
  const size = grams[0]!.rows
  const sum = square(size)
  grams.forEach(({ values }, model) => {
    for (let i = 0; i < values.length; i++) sum.values[i]! += values[i]! * scales[model]!
  })
  const meanRow = columnMeans(sum)
  if (differ) {
    const meanTrace = traces.reduce((a, b) => a + b, 0) / traces.length
    for (let i = 0; i < size; i++) meanRow[i]! /= meanTrace + TINY
  }
  const added = scales.map((scale) => eps * scale)
  const total = shifted(
    sum,
    added.reduce((a, b) => a + b, 0),
  )
  // (S + 1·cᵀ)⁻¹ = S⁻¹ − S⁻¹·1·cᵀ·S⁻¹ / (1 + cᵀ·S⁻¹·1)
  const inverse = await linalg.solvePositive(total, shifted(square(size), 1))
  const across = rowTimes(meanRow, inverse)
  const along = rowSums(inverse)
  const divisor = 1 + meanRow.reduce((each, value, i) => each + value * along[i]!, 0)
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++)
      inverse.values[row * size + column]! -= (along[row]! * across[column]!) / divisor
  const scaled = grams.map((gram, model) => ({ ...gram, values: gram.values.map((value) => value * scales[model]!) }))
  const turns = await Promise.all(
    scaled.map((covariance, model) => linalg.multiply(shifted(covariance, added[model]!), inverse)),
  )
  const differing = scaled.map((covariance) => ({
    ...covariance,
    values: covariance.values.map((value, i) => value - total.values[i]! / grams.length),
  }))
  return { turns, differing: differ ? differing : undefined }
}

/** The variance of the logarithms of the traces, relative to their squared mean; 0 for a single model. */
function gammaOf(traces: readonly number[]): number {
  if (traces.length < 2) return 0
  const logs = traces.map((value) => Math.log(value + TINY))
  const mean = logs.reduce((a, b) => a + b, 0) / logs.length
  const variance = logs.reduce((total, value) => total + (value - mean) ** 2, 0) / (logs.length - 1)
  return variance / (mean ** 2 + TINY)
}

const square = (size: number): DenseMatrix => ({ rows: size, columns: size, values: new Float64Array(size * size) })

/** Adds a number to the diagonal. */
const shifted = ({ rows, columns, values }: DenseMatrix, added: number): DenseMatrix => ({
  rows,
  columns,
  values: values.map((value, i) => (i % (columns + 1) === 0 ? value + added : value)),
})

function columnMeans({ rows, columns, values }: DenseMatrix): Float64Array {
  const means = new Float64Array(columns)
  for (let i = 0; i < values.length; i++) means[i % columns]! += values[i]! / rows
  return means
}

function rowSums({ rows, columns, values }: DenseMatrix): Float64Array {
  const sums = new Float64Array(rows)
  for (let i = 0; i < values.length; i++) sums[Math.floor(i / columns)]! += values[i]!
  return sums
}

function rowTimes(row: Float64Array, { columns, values }: DenseMatrix): Float64Array {
  const result = new Float64Array(columns)
  for (let i = 0; i < values.length; i++) result[i % columns]! += row[Math.floor(i / columns)]! * values[i]!
  return result
}
