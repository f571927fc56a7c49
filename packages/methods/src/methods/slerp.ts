import * as z from 'zod/mini'
import { slerpCoefficients } from '../algebra/arc.ts'
import { linearCombination } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { share } from '../declare/parameter-schemas.ts'
import { gramMatrix } from '../algebra/gram.ts'

/**
 * Interpolates on the sphere between base and one other, each tensor taken as one vector: with θ the angle between them,
 * (sin((1−t)θ)·base + sin(tθ)·other) / sin θ. Nearly (anti)parallel tensors, and those of one element, which have no
 * angle, are interpolated linearly.
 * @throws MethodError `not-finite`
 */
export const slerp = defineMethod({
  name: 'slerp',
  summary: 'Spherical interpolation from the base model to one other.',
  reference: {
    title: 'Animating rotation with quaternion curves (Shoemake 1985)',
    url: 'https://en.wikipedia.org/wiki/Slerp',
  },
  base: 'required',
  models: { min: 1, max: 1 },
  missing: 'passthrough',
  parameters: {
    perModel: {},
    methodWide: {
      t: z.number().check(z.describe('Position on the way from the base (0) to the other model (1).'), z.meta(share)),
    },
  },
  examples: [{ t: 0.3 }],
  async merge({ base, models: [other] }, { t }, context) {
    const pair = [base!, other!]
    if (context.elementCount <= 1) return linearCombination(pair, [1 - t, t])
    const [[aa, ab], [, bb]] = (await gramMatrix(pair, context, {
      vectorOf: (i) => ({ model: i === 0 ? 'base' : 0 }),
    })) as [[number, number], [number, number]]
    return linearCombination(pair, slerpCoefficients(t, { aa, bb, ab }))
  },
})
