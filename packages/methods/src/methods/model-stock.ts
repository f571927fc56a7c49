import { add, sub } from '@mk/tensor'
import { combinePer } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { type Gram, gramMatrices } from '../algebra/gram.ts'
import { flag } from '../declare/parameter-schemas.ts'

/**
 * Computes t·mean + (1−t)·base with t = N·cos / (1 + (N−1)·cos), where cos is the mean over all pairs of
 * ⟨δᵢ,δⱼ⟩ / max(‖δᵢ‖·‖δⱼ‖, 10⁻⁶), clamped to ±1. One cos for each tensor, or for each row with `filter_wise`.
 *
 * For models that pull apart (1 + (N−1)·cos near 0, where t has its pole) the answer is the base.
 * @throws MethodError `not-finite`
 */
export const modelStock = defineMethod({
  name: 'model_stock',
  summary:
    'Between the base and the average of the models, the closer to the average the more their task vectors agree.',
  reference: { title: 'Model Stock (Jang et al. 2024)', url: 'https://arxiv.org/abs/2403.19522' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 2 },
  parameters: {
    perModel: {},
    methodWide: { filter_wise: flag(false, 'One angle for each row instead of one for the tensor.') },
  },
  examples: [{}, { filter_wise: true }],
  async merge({ base, models }, { filter_wise }, context) {
    const deltas = models.map((x) => sub(x, base!))
    const grams = await gramMatrices(deltas, filter_wise ? 'row' : 'tensor', context, {
      vectorOf: (model) => ({ model, lessBase: true }),
    })
    return add(
      base!,
      combinePer(deltas, { ...grams, at: (k) => deltas.map(() => interpolationRatio(grams.at(k)) / deltas.length) }),
    )
  },
})

/** Computes t from the dot products of the task vectors. */
export function interpolationRatio(gram: Gram): number {
  const N = gram.length
  const norms = gram.map((row, i) => Math.sqrt(row[i]!))
  const cosines = gram.flatMap((row, i) =>
    row.slice(0, i).map((product, j) => Math.max(-1, Math.min(1, product / Math.max(norms[i]! * norms[j]!, 1e-6)))),
  )
  const cos = cosines.reduce((a, b) => a + b, 0) / cosines.length
  const denominator = 1 + (N - 1) * cos
  return Math.abs(denominator) < 1e-6 ? 0 : (N * cos) / denominator
}
