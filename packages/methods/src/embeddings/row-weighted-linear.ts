import { type Expression, perRow } from '@mk/tensor'
import { linearCombination } from '../algebra/combine.ts'

/**
 * Computes Σ wᵢ[row]·xᵢ / Σ wᵢ[row], where each input has a weight for each row of the matrix, 0 where it lacks the row.
 * A row whose weights sum to 0 (|·| < 1e-8) is zeros.
 */
export function rowWeightedLinear(inputs: readonly Expression[], rowWeights: readonly Float32Array[]): Expression {
  const coefficients = rowWeights.map((weights) => Float32Array.from(weights))
  for (let row = 0; row < (coefficients[0]?.length ?? 0); row++) {
    const sum = rowWeights.reduce((total, weights) => total + weights[row]!, 0)
    for (const vector of coefficients) vector[row] = Math.abs(sum) < 1e-8 ? 0 : vector[row]! / sum
  }
  return linearCombination(inputs, coefficients.map(perRow))
}
