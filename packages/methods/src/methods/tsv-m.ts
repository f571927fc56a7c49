import { add, type DenseMatrix, mul, sub } from '@mk/tensor'
import { total } from '../algebra/combine.ts'
import { defineMethod, type MethodContext } from '../declare/define-method.ts'
import { leadingDirections } from '../spectral/leading-directions.ts'
import { scaleColumns, shorterSide } from '../spectral/shorter-side.ts'
import { averageTasks, checkFinite, isMatrix, mergedFactor, taskWeight } from '../spectral/task-matrices.ts'

/** Directions of a stack of singular vectors below this share of the largest are none of its own: several vectors say the same. */
const DEPENDENT = 1e-6

/**
 * TSV-M: of each matrix of n task vectors w·(model − base) the leading 1/n of its singular values and vectors (one at least) are kept, all
 * left vectors and all right ones stacked, and both stacks replaced by the nearest ones of orthonormal columns: base + λ·U⊥·Σ·V⊥ᵀ.
 * Singular values of 0 have no vectors. What is no matrix: base + λ·mean(w·(model − base)).
 */
export const tsvM = defineMethod({
  name: 'tsv_m',
  summary: 'Base plus the leading singular directions of each task vector, made orthogonal to those of the others.',
  reference: { title: 'Task Singular Vectors (Gargiulo et al. 2024)', url: 'https://arxiv.org/abs/2412.00081' },
  base: 'required',
  ofTaskVectors: true,
  models: { min: 1 },
  matrices: 'shorter side',
  parameters: { perModel: { weight: taskWeight }, methodWide: { lambda: mergedFactor } },
  examples: [{}, { weight: 0.7, lambda: 0.9 }],
  async merge(inputs, parameters, context) {
    if (!isMatrix(context)) return averageTasks(inputs, parameters)
    const { weight, lambda } = parameters
    const base = inputs.base!
    const { linalg } = context
    const deltas = inputs.models.map((x, i) => mul(sub(x, base), weight[i]!))
    const side = shorterSide(context)
    const found = await context.products(Object.fromEntries(deltas.map((delta, i) => [i, side.cross(delta)])))
    const grams = deltas.map((_, i) => found[i]!)
    for (const gram of grams) await checkFinite(gram, deltas, context)
    const most = Math.max(1, Math.floor(side.short / deltas.length))
    const { makers, right, values, leftGram } = await leadingDirections(deltas, grams, most, { side, context })
    if (values.length === 0) return base
    const rightGram = await linalg.multiply(right, right, { leftTransposed: true })
    const [left, ofRight] = await Promise.all([inverseRoot(leftGram, context), inverseRoot(rightGram, context)])
    const core = await linalg.multiply(scaleColumns(left, values), ofRight)
    const onward = await linalg.multiply(core, right, { rightTransposed: true })
    let start = 0
    const merged = []
    for (const [i, maker] of makers.entries()) {
      const rows = rowsOf(onward, start, maker.columns)
      start += maker.columns
      if (maker.columns > 0) merged.push(side.times(deltas[i]!, await linalg.multiply(maker, rows)))
    }
    return add(base, mul(total(merged), lambda))
  },
})

/** Computes G^(−1/2) on what G spans. */
async function inverseRoot(gram: DenseMatrix, { linalg }: MethodContext): Promise<DenseMatrix> {
  const { values, vectors } = await linalg.symmetricEigen(gram)
  const factors = values.map((value) => (value > DEPENDENT * values[0]! ? 1 / Math.sqrt(value) : 0))
  return linalg.multiply(scaleColumns(vectors, factors), vectors, { rightTransposed: true })
}

const rowsOf = ({ columns, values }: DenseMatrix, start: number, count: number): DenseMatrix => ({
  rows: count,
  columns,
  values: values.slice(start * columns, (start + count) * columns),
})
