import { add, type Expression, gt, lt, maximum, minimum, mul, select, sub } from '@mk/tensor'
import { total } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { lambda } from '../declare/parameter-schemas.ts'
import { layerScale, layerScaleParameters, scalesByLayer } from '../task-vectors/layer-scale.ts'

/**
 * Computes base + λ·u, where u has, element by element, the sign of the sum of the task vectors δ = model − base, and the largest |δ| of
 * those that have that sign; 0 where the sum is 0.
 */
export const emr = defineMethod({
  name: 'emr',
  summary: 'Of each element the largest change that has the sign of the sum of all changes.',
  reference: { title: 'EMR-Merging (Huang et al. 2024)', url: 'https://arxiv.org/abs/2405.17461' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  parameters: { perModel: {}, methodWide: { lambda, ...layerScaleParameters } },
  examples: [{}, { lambda: 0.5, lines_alpha: 0.5, lines_beta: 0.5 }],
  usesDepth: scalesByLayer,
  merge({ base, models }, { lambda, ...lines }, context) {
    const unified = elect(models.map((x) => sub(x, base!)))
    return add(base!, mul(unified, lambda * layerScale(lines, context)))
  },
})

/** The sum is NaN where any is, and so is what is elected. */
function elect(deltas: readonly Expression[]): Expression {
  const sum = total(deltas)
  const [highest, lowest] = [deltas.reduce((a, b) => maximum(a, b)), deltas.reduce((a, b) => minimum(a, b))]
  return select(gt(sum, 0), highest, select(lt(sum, 0), lowest, mul(sum, 0)))
}
