import { add, type Expression, sub } from '@mk/tensor'
import * as z from 'zod/mini'
import { cosineNoise } from '../algebra/arc.ts'
import { linearCombination } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { MethodError } from '../errors.ts'
import { gramMatrix, lengthOf, scaleGram } from '../algebra/gram.ts'
import { flag, weight } from '../declare/parameter-schemas.ts'
import { normalizeWeights } from '../algebra/weights.ts'

/** A mean of vectors that is shorter than this part of the sum of their lengths is rounding: its square is a sum of cosines. */
const smallestMean = Math.sqrt(cosineNoise)

/**
 * Interpolates barycentrically on the sphere, between the models or with a base of their task vectors. With unit vectors
 * u = x/(‖x‖+ε), m = Σ w·u and μ = m/‖m‖: project the u into the tangent space at μ, T = Σ w·(u − ⟨u,μ⟩·μ), go back by the
 * exponential map, μ·cos(‖T‖+ε) + T·sin(‖T‖+ε)/(‖T‖+ε), and scale by Σ w·‖x‖.
 *
 * T is zero: it is m less its projection on μ, to which m is parallel. What remains is μ·cos ε·Σ w·‖x‖, a linear combination.
 * @throws MethodError `weights-sum-to-zero`, `not-finite`, `antipodal` where three or more directions cancel out; two are
 * interpolated linearly.
 */
export const multislerp = defineMethod({
  name: 'multislerp',
  summary: 'Weighted mean of the directions of any number of models, or of their task vectors, on the sphere.',
  reference: { title: 'Multi-SLERP (Goddard 2025)', url: 'https://goddard.blog/posts/multislerp-wow-what-a-cool-idea' },
  base: 'optional',
  models: { min: 1 },
  parameters: {
    perModel: { weight },
    methodWide: {
      normalize_weights: flag(true, 'Divide the weights by their sum.'),
      eps: z
        ._default(z.number().check(z.minimum(0)), 1e-8)
        .check(z.describe('Added to lengths before they are divided by.')),
    },
  },
  examples: [{ weight: 0.5 }, { weight: 0.5, normalize_weights: false }],
  async merge({ base, models }, { weight: weights, normalize_weights, eps }, context) {
    if (models.length === 1) return models[0]!
    const w = normalize_weights ? normalizeWeights(weights, context.tensorName) : weights
    const vectors = base ? models.map((x) => sub(x, base)) : models
    const merged = (coefficients: readonly number[]): Expression => {
      const combination = linearCombination(vectors, coefficients)
      return base ? add(base, combination) : combination
    }

    const gram = await gramMatrix(vectors, context, { vectorOf: (model) => ({ model, lessBase: base !== undefined }) })
    const norms = gram.map((row, i) => Math.sqrt(row[i]!))
    if (norms.every((norm) => norm === 0)) return merged(w)
    const divisors = norms.map((norm) => norm + eps)
    const meanNorm = lengthOf(scaleGram(gram, divisors), w)
    const lengths = w.reduce((sum, weight, i) => sum + Math.abs(weight) * (norms[i]! / divisors[i]!), 0)
    if (meanNorm <= Math.max(eps, smallestMean * lengths)) {
      if (models.length === 2) return merged(w)
      throw new MethodError({ code: 'antipodal', tensor: context.tensorName })
    }
    const scale = (Math.cos(eps) * norms.reduce((sum, norm, i) => sum + w[i]! * norm, 0)) / meanNorm
    return merged(w.map((weight, i) => (weight * scale) / divisors[i]!))
  },
})
