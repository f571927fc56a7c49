import { defineTaskVectorMethod } from '../task-vectors/define-task-vector-method.ts'

/**
 * Computes base + λ·Σ wᵢ·δᵢ, where δᵢ = modelᵢ − base is a task vector. `normalize` divides the sum by Σ wᵢ.
 */
export const taskArithmetic = defineTaskVectorMethod({
  name: 'task_arithmetic',
  summary: 'Base plus the weighted task vectors.',
  reference: {
    title: 'Editing models with task arithmetic (Ilharco et al. 2022)',
    url: 'https://arxiv.org/abs/2212.04089',
  },
  vote: false,
  normalize: false,
  rescale: false,
})
