import { add, mul, sub } from '@mk/tensor'
import { linearCombination } from '../algebra/combine.ts'
import { defineMethod } from '../declare/define-method.ts'
import { streamedPolar } from '../spectral/isotropic.ts'
import { shorterSide, trace } from '../spectral/shorter-side.ts'
import { averageTasks, checkFinite, isMatrix, mergedFactor, taskWeight } from '../spectral/task-matrices.ts'

/**
 * Iso-C: Δ = Σ w·(model − base) = U·Σ·Vᵀ of each matrix gets the mean of its singular values in every direction,
 * base + λ·mean(Σ)·U·Vᵀ. The mean is over as many as the matrix has rows or columns, whichever are fewer; directions in which nothing
 * changed (singular values below about 1e-3 of the largest fade out) stay unchanged. What is no matrix: base + λ·mean(w·(model − base)).
 */
export const isoC = defineMethod({
  name: 'iso_c',
  summary: 'Base plus the summed task vectors of each matrix, all their singular values replaced by the mean.',
  reference: { title: 'Isotropic merging (Marczak et al. 2025)', url: 'https://arxiv.org/abs/2502.04959' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  matrices: 'shorter side',
  parameters: {
    perModel: { weight: taskWeight },
    methodWide: { lambda: mergedFactor },
  },
  examples: [{}, { weight: 0.7, lambda: 0.9 }],
  async merge(inputs, parameters, context) {
    if (!isMatrix(context)) return averageTasks(inputs, parameters)
    const { weight, lambda } = parameters
    const base = inputs.base!
    const deltas = inputs.models.map((x) => sub(x, base))
    const sum = linearCombination(deltas, weight)
    const side = shorterSide(context)
    const { gram } = await context.products({ gram: side.cross(sum) })
    await checkFinite(gram, deltas, context)
    if (trace(gram) === 0) return base
    const { turn, nuclearNorm } = await streamedPolar(sum, gram, side, context)
    return add(base, mul(side.times(sum, turn), (lambda * nuclearNorm) / side.short))
  },
})
