import { add, sub } from '@mk/tensor'
import { arcCoefficients, cosineNoise } from '../algebra/arc.ts'
import { combinePer } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { type Gram, gramMatrices } from '../algebra/gram.ts'
import { flag, weight } from '../declare/parameter-schemas.ts'

/** Lengths below this are divided by as if they were it. */
const smallestLength = 1e-7

/**
 * Interpolates on the sphere between two models, or with a base of their task vectors, t = w₂ / (w₁ + w₂) of the way from
 * the first to the second: as whole tensors, or with one angle for each row or each column. Vectors that are parallel or antiparallel,
 * as far as a cosine of float32 products tells, are interpolated linearly.
 * @throws MethodError `not-finite`
 */
export const nuslerp = defineMethod({
  name: 'nuslerp',
  summary:
    'Spherical interpolation of two models by weight, optionally of their task vectors, as a whole, by row or by column.',
  reference: {
    title: 'NuSLERP (mergekit)',
    url: 'https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md',
  },
  base: 'optional',
  models: { min: 2, max: 2 },
  parameters: {
    perModel: { weight },
    methodWide: {
      nuslerp_flatten: flag(true, 'Take each tensor as one vector.'),
      nuslerp_row_wise: flag(false, 'Without nuslerp_flatten: vectors along the first dimension instead of the last.'),
    },
  },
  examples: [
    { weight: 0.5 },
    { weight: 0.5, nuslerp_flatten: false },
    { weight: 0.5, nuslerp_flatten: false, nuslerp_row_wise: true },
  ],
  async merge({ base, models }, { weight: [w1, w2], nuslerp_flatten, nuslerp_row_wise }, context) {
    const t = Math.abs(w1! + w2!) < 1e-6 ? 0.5 : w2! / (w1! + w2!)
    const vectors = base ? models.map((x) => sub(x, base)) : models
    const per = nuslerp_flatten ? 'tensor' : nuslerp_row_wise ? 'column' : 'row'
    const columns = per === 'column' ? context.shape.slice(1).reduce((product, size) => product * size, 1) : undefined
    const vectorOf = (model: number) => ({ model, lessBase: base !== undefined })
    const grams = await gramMatrices(vectors, per, context, { columns, vectorOf })
    const merged = combinePer(vectors, { ...grams, at: (k) => coefficients(t, grams.at(k)) })
    return base ? add(base, merged) : merged
  },
})

function coefficients(t: number, gram: Gram): [number, number] {
  const length = (i: number): number => Math.max(Math.sqrt(gram[i]![i]!), smallestLength)
  const cos = gram[0]![1]! / (length(0) * length(1))
  return Math.abs(cos) > 1 - cosineNoise ? [1 - t, t] : arcCoefficients(t, Math.acos(cos))
}
