import { add, type DenseMatrix, type Expression, mul, perColumn, perRow, sub, sum } from '@mk/tensor'
import * as z from 'zod/mini'
import { total } from '../algebra/combine.ts'
import { defineMethod, type MethodContext } from '../declare/define-method.ts'
import { adaptCovariances } from '../spectral/adapted-covariances.ts'
import { scaleColumns, sideOf } from '../spectral/shorter-side.ts'
import { averageTasks, checkFinite, isMatrix, mergedFactor } from '../spectral/task-matrices.ts'

/**
 * ACE-Merging: (Σ δᵢΣᵢ)·(ΣΣᵢ)⁻¹ of each matrix, with the covariance Σᵢ of a model's inputs estimated as that of the rows of its task vector
 * δᵢ. δ is centered by its mean row; ε is added to the diagonals, and to all rows of the divisor the mean row of ΣΣᵢ. Where models differ
 * much (γ = var(log tr δᵀδ) / mean(log tr δᵀδ)² above 0.3), the covariances are divided by their traces, and of Σ δᵢ(Σᵢ − mean Σ) plus the
 * above the leading `k_frac` of singular directions, each with the mean of their singular values, is added. Models that change nothing are
 * left out. base + λ·(that). What is no matrix, or one of a single row: base + λ·mean(δ). Rows are those of outputs × inputs: of a layer
 * that is stored as inputs × outputs, columns.
 * @throws MethodError 'not-finite'
 */
export const ace = defineMethod({
  name: 'ace',
  summary: 'Base plus the task vectors of each matrix weighted by the covariances of inputs that they let guess.',
  reference: { title: 'ACE-Merging (Xu et al. 2026)', url: 'https://arxiv.org/abs/2603.02945' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  matrices: 'columns',
  parameters: {
    perModel: {},
    methodWide: {
      eps: z
        ._default(z.number().check(z.positive()), 0.01)
        .check(z.describe('Added to the diagonal of each covariance: the more, the nearer to the plain average.')),
      k_frac: z
        ._default(z.number().check(z.minimum(0), z.maximum(1)), 0.3)
        .check(z.describe('The share of singular directions that is added where models differ much.')),
      lambda: mergedFactor,
    },
  },
  examples: [{}, { eps: 0.1, k_frac: 0.5, lambda: 0.9 }],
  async merge(inputs, { eps, k_frac, lambda }, context) {
    const base = inputs.base!
    const { products, shape, inputSide } = context
    const { cross, times } = sideOf(inputSide)
    // The mean of a single row is the row.
    if (!isMatrix(context) || outputsOf(context) === 1)
      return averageTasks(inputs, { weight: inputs.models.map(() => 1), lambda })
    const deltas = inputs.models.map((x) => sub(x, base))
    const { traces, centered } = await center(deltas, context)
    const found = await products(Object.fromEntries(centered.map((delta, i) => [i, cross(delta)])))
    for (const i of centered.keys()) await checkFinite(found[i]!, deltas, context)
    const used = [...centered.keys()].filter((i) => traces[i]! > 0)
    if (used.length === 0) return base
    const grams = used.map((i) => found[i]!)
    const { turns, differing } = await adaptCovariances(
      grams,
      used.map((i) => traces[i]!),
      eps,
      context,
    )
    const weighted = total(used.map((i, at) => times(centered[i]!, turns[at]!)))
    const count = Math.floor(Math.min(...shape) * k_frac)
    if (differing === undefined || count === 0) return add(base, mul(weighted, lambda))
    const fused = add(total(used.map((i, at) => times(deltas[i]!, differing[at]!))), weighted)
    return add(base, mul(add(weighted, await leadingPart(fused, count, context)), lambda))
  },
})

/** Counts the outputs of a layer. */
const outputsOf = ({ shape, inputSide }: MethodContext): number => shape[inputSide === 'rows' ? 1 : 0]!

/** Takes from each task vector its mean row; the traces are those of δᵀδ before. */
async function center(deltas: readonly Expression[], context: MethodContext) {
  const { reduce, inputSide } = context
  const [per, perInput] = inputSide === 'rows' ? (['row', perRow] as const) : (['column', perColumn] as const)
  const [squares, sums] = await Promise.all([
    reduce(Object.fromEntries(deltas.map((delta, i) => [i, sum(mul(delta, delta), 'tensor')] as const))),
    reduce(Object.fromEntries(deltas.map((delta, i) => [i, sum(delta, per)] as const))),
  ])
  const outputs = outputsOf(context)
  return {
    traces: deltas.map((_, i) => squares[i]!),
    centered: deltas.map((delta, i) => sub(delta, perInput(Float32Array.from(sums[i]!, (total) => total / outputs)))),
  }
}

/** U·Vᵀ of the leading singular directions, times the mean of their singular values: nothing where there are none. */
async function leadingPart(
  matrix: Expression,
  count: number,
  { products, linalg, inputSide }: MethodContext,
): Promise<Expression> {
  const { cross, times } = sideOf(inputSide)
  const { gram } = await products({ gram: cross(matrix) })
  const { values, vectors } = await linalg.symmetricEigen(gram)
  const singular = values.map((value) => Math.sqrt(Math.max(value, 0)))
  const mean = singular.subarray(0, count).reduce((total, value) => total + value, 0) / count
  const inverse = singular.map((value, i) => (i < count && value > NOTHING * singular[0]! ? mean / value : 0))
  const turn: DenseMatrix = await linalg.multiply(scaleColumns(vectors, inverse), vectors, { rightTransposed: true })
  return times(matrix, turn)
}

/** Singular values below this share of the largest are what rounding leaves of nothing. */
const NOTHING = 1e-3
