import * as z from 'zod/mini'
import { cosineNoise } from '../algebra/arc.ts'
import { linearCombination } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { dot, dotsWith, type Gram, gramMatrix, lengthOf, scaleGram } from '../algebra/gram.ts'

/**
 * Computes the Riemannian (Karcher) mean of the models' directions on the sphere, each tensor as one vector, scaled by the mean of
 * their lengths. From the normalized mean u of the unit vectors uᵢ, repeat u ← exp_u(T) with
 * T = Σ (θᵢ / sin θᵢ)·(uᵢ − cos θᵢ·u) / N until ‖T‖ < `tol`. Every u is a combination of the inputs, so this iterates on its
 * coefficients and needs only their dot products. Tensors of zeros have no direction and count in the scale only.
 * @throws MethodError `not-finite`
 */
export const karcher = defineMethod({
  name: 'karcher',
  summary: 'Riemannian mean of the directions of the models on the sphere, equally weighted.',
  reference: { title: 'Riemannian center of mass (Karcher 1977)', url: 'https://en.wikipedia.org/wiki/Karcher_mean' },
  base: 'none',
  models: { min: 1 },
  parameters: {
    perModel: {},
    methodWide: {
      max_iter: z._default(z.int().check(z.minimum(0)), 10).check(z.describe('Iterations at most.')),
      tol: z._default(z.number().check(z.positive()), 1e-5).check(z.describe('Stop when a step is shorter than this.')),
    },
  },
  examples: [{}],
  async merge({ models }, { max_iter, tol }, context) {
    if (models.length === 1) return models[0]!
    const gram = await gramMatrix(models, context)
    const norms = gram.map((row, i) => Math.sqrt(row[i]!))
    const directed = norms.flatMap((norm, i) => (norm > 0 ? [i] : []))
    const units = scaleGram(
      directed.map((i) => directed.map((j) => gram[i]![j]!)),
      directed.map((i) => norms[i]!),
    )
    const mean = karcherMean(units, max_iter, tol)
    const scale = norms.reduce((a, b) => a + b, 0) / norms.length
    const coefficients = norms.map(() => 0)
    directed.forEach((i, k) => (coefficients[i] = (scale * mean[k]!) / norms[i]!))
    return linearCombination(models, coefficients)
  },
})

/** Computes the coefficients of the mean of unit vectors from the cosines between them. */
export function karcherMean(cosines: Gram, maxIterations: number, tolerance: number): number[] {
  const weight = 1 / cosines.length
  const unit = (c: readonly number[]): number[] => c.map((value) => value / lengthOf(cosines, c))
  const middle = cosines.map(() => weight)
  const hasMiddle = lengthOf(cosines, middle) >= Math.max(tolerance, Math.sqrt(cosineNoise))
  let u = hasMiddle ? unit(middle) : cosines.map((_, i) => (i === 0 ? 1 : 0))

  for (let iteration = 0; iteration < maxIterations; iteration++) {
    const cos = dotsWith(cosines, u).map((value) => Math.max(-1, Math.min(1, value)))
    const pull = cos.map((value) => weight * angleOverSine(value, tolerance))
    const projection = dot(pull, cos)
    const step = pull.map((value, i) => value - projection * u[i]!)
    const distance = lengthOf(cosines, step)
    if (distance < tolerance) break
    u = unit(u.map((value, i) => Math.cos(distance) * value + (Math.sin(distance) / distance) * step[i]!))
  }
  return u
}

/** A vector at u pulls nowhere, and one opposite u in no one direction. */
const angleOverSine = (cos: number, tolerance: number): number => {
  const angle = Math.acos(cos)
  return angle < tolerance || cos < -1 + cosineNoise ? 0 : angle / Math.sin(angle)
}
