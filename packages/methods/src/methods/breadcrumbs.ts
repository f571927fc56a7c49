import { defineTaskVectorMethod } from '../task-vectors/define-task-vector-method.ts'
import { betweenMagnitudes } from '../task-vectors/sparsify.ts'

/**
 * Computes base + λ·Σ wᵢ·δᵢ'. δᵢ' is the task vector δᵢ = modelᵢ − base without its int(gamma·n) largest elements by magnitude
 * and without the smallest: int(density·n) stay, the others are 0.
 */
export const breadcrumbs = defineTaskVectorMethod({
  name: 'breadcrumbs',
  summary: 'Task vectors without their largest and smallest elements.',
  reference: { title: 'Model Breadcrumbs (Davari & Belilovsky 2023)', url: 'https://arxiv.org/abs/2312.06795' },
  sparsifier: betweenMagnitudes,
  vote: false,
  normalize: false,
  rescale: false,
})
