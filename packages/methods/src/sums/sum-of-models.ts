import { add } from '@mk/tensor'
import { linearCombination } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { weight } from '../declare/parameter-schemas.ts'

/**
 * Computes base + Σ wᵢ·xᵢ, the sum first, so that a difference of equal models is nothing: what a recipe's `{base, plus}` means, which
 * names no method.
 */
export const sumOfModels = defineMethod({
  name: 'sum of models',
  summary: 'A model plus others, each times its weight.',
  base: 'required',
  models: { min: 1 },
  parameters: { perModel: { weight }, methodWide: {} },
  examples: [{ weight: 0.5 }],
  merge: ({ base, models }, { weight: weights }) => add(base!, linearCombination(models, weights)),
})
