import { defineTaskVectorMethod } from '../task-vectors/define-task-vector-method.ts'
import { atRandom } from '../task-vectors/sparsify.ts'

/**
 * Computes base + λ·Σ wᵢ·δᵢ', the sum element by element over the models whose wᵢ·δᵢ' has the elected sign, that of their sum
 * (+ where it is 0). δᵢ' is the task vector δᵢ = modelᵢ − base, each element kept with probability `density` and the
 * others 0, scaled to the L1 norm of δᵢ.
 * @throws MethodError `not-finite`
 */
export const dareTies = defineTaskVectorMethod({
  name: 'dare_ties',
  summary: 'Task vectors thinned at random and rescaled, merged where they agree with the elected sign.',
  reference: { title: 'DARE (Yu et al. 2023)', url: 'https://arxiv.org/abs/2311.03099' },
  sparsifier: atRandom,
  vote: true,
  normalize: false,
  rescale: true,
})
