import { defineTaskVectorMethod } from '../task-vectors/define-task-vector-method.ts'
import { atRandom } from '../task-vectors/sparsify.ts'

/**
 * Computes base + λ·Σ wᵢ·δᵢ'. δᵢ' is the task vector δᵢ = modelᵢ − base, each element kept with probability `density` and the
 * others 0, scaled to the L1 norm of δᵢ. The paper divides by the density, which is that norm in expectation.
 * @throws MethodError `not-finite`
 */
export const dareLinear = defineTaskVectorMethod({
  name: 'dare_linear',
  summary: 'Task vectors thinned at random and rescaled.',
  reference: { title: 'DARE (Yu et al. 2023)', url: 'https://arxiv.org/abs/2311.03099' },
  sparsifier: atRandom,
  vote: false,
  normalize: false,
  rescale: true,
})
