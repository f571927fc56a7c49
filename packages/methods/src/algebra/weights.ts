import { MethodError } from '../errors.ts'

/**
 * Divides the weights by their sum.
 * @throws MethodError `weights-sum-to-zero`, also where the sum is but the rounding error of one that cancels.
 */
export function normalizeWeights(weights: readonly number[], tensor: string): number[] {
  const sum = weights.reduce((a, b) => a + b, 0)
  const size = weights.reduce((a, b) => a + Math.abs(b), 0)
  if (Math.abs(sum) <= 1e-12 * size) throw new MethodError({ code: 'weights-sum-to-zero', tensor, weights })
  return weights.map((weight) => weight / sum)
}
