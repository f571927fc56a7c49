import { linearCombination } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { flag, weight } from '../declare/parameter-schemas.ts'
import { normalizeWeights } from '../algebra/weights.ts'

/**
 * Computes Σ wᵢ·xᵢ, divided by Σ wᵢ if `normalize`. Elementwise: NaN stays where it is.
 * @throws MethodError `weights-sum-to-zero`
 */
export const linear = defineMethod({
  name: 'linear',
  summary: 'Weighted average of the models.',
  reference: { title: 'Model soups (Wortsman et al. 2022)', url: 'https://arxiv.org/abs/2203.05482' },
  base: 'none',
  models: { min: 1 },
  parameters: {
    perModel: { weight },
    methodWide: { normalize: flag(true, 'Divide by the sum of the weights.') },
  },
  examples: [{ weight: 0.5 }, { weight: 0.5, normalize: false }],
  merge: ({ models }, { weight: weights, normalize }, { tensorName }) =>
    linearCombination(models, normalize ? normalizeWeights(weights, tensorName) : weights),
})
