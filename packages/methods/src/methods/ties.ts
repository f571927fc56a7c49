import { defineTaskVectorMethod } from '../task-vectors/define-task-vector-method.ts'
import { byMagnitude } from '../task-vectors/sparsify.ts'

/**
 * Computes base + λ·Σ wᵢ·δᵢ' / Σ wᵢ, both sums element by element over the models whose wᵢ·δᵢ' has the elected sign, that of
 * their sum (+ where it is 0). δᵢ' is the task vector δᵢ = modelᵢ − base with its int(density·n) largest elements by
 * magnitude, the others 0.
 */
export const ties = defineTaskVectorMethod({
  name: 'ties',
  summary: 'Task vectors trimmed to their largest elements, merged where they agree with the elected sign.',
  reference: { title: 'TIES-Merging (Yadav et al. 2023)', url: 'https://arxiv.org/abs/2306.01708' },
  sparsifier: byMagnitude,
  vote: true,
  normalize: true,
  rescale: false,
})
