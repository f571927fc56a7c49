// @ts-check
import { add, defineMethod, mul, sum, z } from '@mk/methods'

/**
 * The average of vectors that point in different directions is shorter than they are. This one is stretched back:
 * Σ w·x / Σ w, times (Σ w·‖x‖ / ‖Σ w·x‖) to the power of `strength`.
 */
export const method = defineMethod({
  name: 'length_preserving_average',
  summary: 'Weighted average, stretched to the average length of the models.',
  base: 'none',
  models: { min: 1 },
  parameters: {
    perModel: { weight: z.number().positive().default(1).describe('Relative weight of the model.') },
    methodWide: {
      strength: z.number().min(0).max(1).default(1).describe('0 is the plain average, 1 the full length.'),
    },
  },
  async merge({ models }, { weight, strength }, { reduce }) {
    const total = weight.reduce((a, b) => a + b)
    const weighted = models.map((x, i) => mul(x, weight[i] / total))
    const average = weighted.reduce((a, b) => add(a, b))

    const squares = await reduce(Object.fromEntries([average, ...weighted].map((x, i) => [i, sum(mul(x, x))])))
    const [shortened, ...lengths] = Object.values(squares).map(Math.sqrt)
    if (shortened === 0) return average
    const length = lengths.reduce((a, b) => a + b)
    return mul(average, (length / shortened) ** strength)
  },
})
