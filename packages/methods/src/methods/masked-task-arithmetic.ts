import { add, mul, sub } from '@mk/tensor'
import * as z from 'zod/mini'
import { linearCombination } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { byNorm, lambda, moderate, tensorsOfFile } from '../declare/parameter-schemas.ts'

/**
 * Computes base + λ·Σ wᵢ·mᵢ·δᵢ element by element, where mᵢ is what a file has for each element of the task vector δᵢ = modelᵢ − base.
 * With an elected task vector in the place of δ, and the mask and rescaler of a task in that of m, it is step 3 of EMR-Merging.
 */
export const maskedTaskArithmetic = defineMethod({
  name: 'masked_task_arithmetic',
  summary: 'Base plus the task vectors, each element times what a file says of it.',
  reference: { title: 'EMR-Merging (Huang et al. 2024)', url: 'https://arxiv.org/abs/2405.17461' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  parameters: {
    perModel: {
      mask: tensorsOfFile(
        "A file with a tensor for each of the model, of the same name and shape, whose elements are factors on the model's changes, such as one that mk-emr writes.",
      ),
      weight: z
        ._default(z.number(), 1)
        .check(
          z.describe('Factor on the change that the model makes to the base.'),
          z.meta({ ...moderate, ...byNorm }),
        ),
    },
    methodWide: { lambda },
  },
  examples: [{ mask: 'mask.safetensors' }, { mask: 'mask.safetensors', weight: 0.5, lambda: 2 }],
  merge({ base, models }, { mask, weight, lambda }) {
    const changes = models.map((model, i) => mul(mask[i]!, sub(model, base!)))
    return add(base!, mul(linearCombination(changes, weight), lambda))
  },
})
