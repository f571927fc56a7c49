import { defineTaskVectorMethod } from '../task-vectors/define-task-vector-method.ts'
import { betweenMagnitudes } from '../task-vectors/sparsify.ts'

/**
 * Computes base + λ·Σ wᵢ·δᵢ', the sum element by element over the models whose wᵢ·δᵢ' has the elected sign, that of their sum
 * (+ where it is 0). δᵢ' is the task vector δᵢ = modelᵢ − base without its int(gamma·n) largest elements by magnitude
 * and without the smallest: int(density·n) stay, the others are 0.
 */
export const breadcrumbsTies = defineTaskVectorMethod({
  name: 'breadcrumbs_ties',
  summary: 'Task vectors without their largest and smallest elements, merged where they agree with the elected sign.',
  reference: { title: 'Model Breadcrumbs (Davari & Belilovsky 2023)', url: 'https://arxiv.org/abs/2312.06795' },
  sparsifier: betweenMagnitudes,
  vote: true,
  normalize: false,
  rescale: false,
})
