import { add, and, eq, gt } from '@mk/tensor'
import * as z from 'zod/mini'
import { averageActive, findActive } from '../algebra/activity.ts'
import { sumEach } from '../algebra/sum-each.ts'
import { defineMethod } from '../declare/define-method.ts'
import { activityThreshold } from '../declare/parameter-schemas.ts'

/** Merges like `ram`, with unique changes × (1 + r·clamp(shared count / unique count, 0, alpha)), counted for each model in this tensor. */
export const ramPlusTl = defineMethod({
  name: 'ramplus_tl',
  summary: 'As ram, unique changes amplified by how much of a model is shared, tensor by tensor.',
  reference: { title: 'Reinforced Agent Merging (2026)', url: 'https://arxiv.org/abs/2601.13572' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  parameters: {
    perModel: {},
    methodWide: {
      r: z._default(z.number(), 0.1).check(z.describe('How much unique changes are amplified for each shared one.')),
      alpha: z
        ._default(z.number().check(z.minimum(0)), 0.2)
        .check(z.describe('Largest ratio of shared to unique changes that counts.')),
      epsilon: activityThreshold,
    },
  },
  examples: [{}],
  async merge({ base, models }, { r, alpha, epsilon }, context) {
    const activity = findActive(base!, models, epsilon)
    const { active, count } = activity
    const shared = active.map((mask) => and(mask, gt(count, 1)))
    const unique = active.map((mask) => and(mask, eq(count, 1)))
    const counts = await sumEach([...shared, ...unique], context)
    const factors = models.map((_, i) => {
      const ratio = counts[i] === 0 ? 0 : counts[i]! / counts[i + models.length]!
      return 1 + r * Math.min(ratio, alpha)
    })
    return add(base!, averageActive(activity, factors))
  },
})
