import { hasCode } from '@mk/errors'
import { add, type DenseMatrix, type Expression, sub, times } from '@mk/tensor'
import * as z from 'zod/mini'
import { linearCombination, total } from '../algebra/combine.ts'
import { normalizeWeights } from '../algebra/weights.ts'
import { defineMethod, type MethodContext } from '../declare/define-method.ts'
import { byNorm, matricesOfFile } from '../declare/parameter-schemas.ts'
import { MethodError } from '../errors.ts'
import { type InputStatistics, scaleStatistics, sumMatrices } from '../spectral/input-statistics.ts'
import { transposed } from '../spectral/shorter-side.ts'
import { isMatrix } from '../spectral/task-matrices.ts'

/**
 * Computes W = (Σ Wᵢ·Gᵢ)·(Σ Gᵢ)⁻¹ of each matrix, which is nearest to what every model makes of its own inputs Xᵢ where Gᵢ = wᵢ·XᵢᵀXᵢ.
 * Elements off the diagonal of XᵢᵀXᵢ are times `alpha`; `damping` times the mean of its diagonal is added to that. As W₁ + Σ (Wᵢ − W₁)·Gᵢ·
 * (Σ G)⁻¹ it is exact where models are equal. Matrices that are stored as inputs × outputs are multiplied from the other side. What has
 * no statistics, and what is no matrix: Σ wᵢ·Wᵢ / Σ wᵢ.
 * @throws MethodError 'statistics-invalid', 'statistics-singular', 'weights-sum-to-zero'
 */
export const regmean = defineMethod({
  name: 'regmean',
  summary: 'Average of the models, each matrix weighted by the inputs that it gets in each of them.',
  reference: { title: 'RegMean (Jin et al. 2023)', url: 'https://arxiv.org/abs/2212.09849' },
  base: 'none',
  models: { min: 1 },
  matrices: 'columns',
  // What is added to every model is added to the result.
  ofTaskVectors: true,
  parameters: {
    perModel: {
      statistics: matricesOfFile(
        'A file with XᵀX for the weight of each linear layer, under its name: X are the inputs of the layer, one in a row.',
      ),
      weight: z
        ._default(z.number().check(z.minimum(0)), 1)
        .check(z.describe('Factor on the statistics of the model, relative to the others.'), z.meta(byNorm)),
    },
    methodWide: {
      alpha: z
        ._default(z.number().check(z.minimum(0), z.maximum(1)), 0.9)
        .check(z.describe('Factor on what is off the diagonal of XᵀX: 1 trusts the data, 0 weights columns alone.')),
      damping: z
        ._default(z.number().check(z.minimum(0)), 1e-6)
        .check(z.describe('Added to the diagonal, as a share of its mean: the more, the nearer to the plain average.')),
    },
  },
  examples: [
    { statistics: 'statistics.safetensors' },
    { statistics: 'statistics.safetensors', weight: 0.5, alpha: 0.5, damping: 0.1 },
  ],
  async merge({ models }, { statistics, weight, alpha, damping }, context) {
    const plain = normalizeWeights(weight, context.tensorName)
    const known = statistics.filter((each) => each !== undefined)
    if (!isMatrix(context) || known.length < models.length) return linearCombination(models, plain)
    const settings = { alpha, damping }
    const read = (model: number) =>
      readStatistics(known[model]!, { model, weight: weight[model]!, ...settings }, context)
    const sum = await read(0)
    for (let model = 1; model < models.length; model++) sumMatrices(sum, await read(model))
    const [first, ...others] = models
    const changes: Expression[] = []
    for (const [index, other] of others.entries()) {
      if (weight[index + 1] === 0) continue
      const change = sub(other, first!)
      const turned = await solve(sum, await read(index + 1), context)
      changes.push(context.inputSide === 'rows' ? times(change, turned, 'rows') : times(change, transposed(turned)))
    }
    return changes.length === 0 ? first! : add(first!, total(changes))
  },
})

async function readStatistics(
  matrix: Expression,
  settings: InputStatistics & { readonly model: number },
  context: MethodContext,
): Promise<DenseMatrix> {
  const { values, problem } = scaleStatistics(await context.readMatrix(matrix), settings)
  if (problem === undefined) return values
  const { model } = settings
  throw new MethodError({
    code: 'statistics-invalid',
    tensor: context.tensorName,
    model,
    name: context.nameOf(model),
    problem,
  })
}

async function solve(
  sum: DenseMatrix,
  right: DenseMatrix,
  { linalg, tensorName }: MethodContext,
): Promise<DenseMatrix> {
  try {
    return await linalg.solvePositive(sum, right)
  } catch (error) {
    if (!hasCode(error, 'not-positive-definite')) throw error
    throw new MethodError({ code: 'statistics-singular', tensor: tensorName }, { cause: error })
  }
}
