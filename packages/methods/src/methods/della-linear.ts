import { defineTaskVectorMethod } from '../task-vectors/define-task-vector-method.ts'
import { atRandomByRank } from '../task-vectors/sparsify.ts'

/**
 * Computes base + λ·Σ wᵢ·δᵢ'. δᵢ' is the task vector δᵢ = modelᵢ − base, its elements kept with probability density − ε (the
 * smallest by magnitude of their row) to density + ε (the largest) and the others 0, scaled to the L1 norm of δᵢ.
 * @throws MethodError `density-out-of-range`, `not-finite`
 */
export const dellaLinear = defineTaskVectorMethod({
  name: 'della_linear',
  summary: 'Task vectors thinned at random, small elements the more, and rescaled.',
  reference: { title: 'DELLA-Merging (Deep et al. 2024)', url: 'https://arxiv.org/abs/2406.11617' },
  sparsifier: atRandomByRank,
  vote: false,
  normalize: false,
  rescale: true,
})
