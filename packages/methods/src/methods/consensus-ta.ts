import { abs, add, type Expression, ge, lt, mul, not, select, sub } from '@mk/tensor'
import * as z from 'zod/mini'
import { linearCombination, total } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { byNorm, lambda, moderate } from '../declare/parameter-schemas.ts'
import { layerScale, layerScaleParameters, scalesByLayer } from '../task-vectors/layer-scale.ts'

/**
 * Computes base + λ·Σ wᵢ·δᵢ where at least k of the masks |δᵢ| ≥ λᵢ·|Σ δⱼ − δᵢ| hold, and the base elsewhere. The masks are those of
 * the plain sum, whatever the weights: an element that no model wants in the sum, or one alone, goes.
 */
export const consensusTa = defineMethod({
  name: 'consensus_ta',
  summary: 'Base plus the weighted task vectors, where enough of the models find their own change in the sum.',
  reference: { title: 'TALL masks and Consensus TA (Wang et al. 2024)', url: 'https://arxiv.org/abs/2405.07813' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  parameters: {
    perModel: {
      weight: z
        ._default(z.number(), 1)
        .check(
          z.describe('Factor on the change that the model makes to the base.'),
          z.meta({ ...moderate, ...byNorm }),
        ),
      tall_mask_lambda: z
        ._default(z.number().check(z.minimum(0)), 0.4)
        .check(
          z.describe("How large a model's change must be, beside what the others add to it, to count as its own."),
          z.meta({ usual: { min: 0.1, max: 1 } }),
        ),
    },
    methodWide: {
      k: z
        ._default(z.int().check(z.minimum(0)), 2)
        .check(z.describe('How many models must find their change in an element for it to stay; 0 keeps all.')),
      lambda,
      ...layerScaleParameters,
    },
  },
  examples: [{}, { weight: 0.5, k: 1, tall_mask_lambda: 0.6 }, { lines_alpha: 0.5, lines_beta: 0.5 }],
  usesDepth: scalesByLayer,
  merge({ base, models }, { weight, tall_mask_lambda, k, lambda, ...lines }, context) {
    if (k > models.length)
      context.warn(
        `k ${k} is more than there are models (${models.length}), so no change stays: the output is the base`,
      )
    const deltas = models.map((x) => sub(x, base!))
    const sum = total(deltas)
    // Not < instead of ≥, so that NaN stays and shows in the result.
    const wanted = deltas.map((delta, i) =>
      select(not(lt(abs(delta), mul(abs(sub(sum, delta)), tall_mask_lambda[i]!))), 1, 0),
    )
    const changed: Expression = select(ge(total(wanted), k), linearCombination(deltas, weight), 0)
    return add(base!, mul(changed, lambda * layerScale(lines, context)))
  },
})
