import { add } from '@mk/tensor'
import { averageActive, findActive } from '../algebra/activity.ts'
import { defineMethod } from '../declare/define-method.ts'
import { activityThreshold } from '../declare/parameter-schemas.ts'

/**
 * Adds to the base what only one model has active as it is, and what several share as their average. An element of a task
 * vector δ = model − base is active where |δ| > ε.
 */
export const ram = defineMethod({
  name: 'ram',
  summary: 'Base plus changes that one model alone has, and the average of those that several share.',
  reference: { title: 'Reinforced Agent Merging (2026)', url: 'https://arxiv.org/abs/2601.13572' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  parameters: { perModel: {}, methodWide: { epsilon: activityThreshold } },
  examples: [{}],
  merge({ base, models }, { epsilon }) {
    const factors = models.map(() => 1)
    return add(base!, averageActive(findActive(base!, models, epsilon), factors))
  },
})
