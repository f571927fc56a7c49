import { TensorError } from '../errors.ts'
import { createBlockBuilder, type BlockPlan, blockRanges, type CrossStep } from './block-plan.ts'
import type { CrossProduct, DenseMatrix, MatrixSide } from '../language/matrices.ts'
import type { StreamedTensor } from '../stages/stage.ts'
import type { ElementRange } from '../stages/chunks.ts'

/** Carries out cross products over all blocks of a plan, in their order. @returns the elements of each, row-major */
export type RunProducts = (
  plan: BlockPlan,
  requests: readonly CrossStep[],
  ranges: readonly ElementRange[],
) => Promise<readonly Float64Array[]>

/** Finds what `Session.products` asks for: one pass over the inputs for each side. */
export async function products<R extends Record<string, CrossProduct>>(
  { shape, inputDtypes, runProducts }: StreamedTensor,
  requests: R,
): Promise<{ [K in keyof R]: DenseMatrix }> {
  if (runProducts === undefined)
    throw new TensorError({ code: 'unsupported-program', runtime: 'session', what: 'matrix products' })
  const found = new Map<string, DenseMatrix>()
  for (const on of ['columns', 'rows'] satisfies MatrixSide[]) {
    const entries = Object.entries(requests).filter(([, request]) => request.on === on)
    if (entries.length === 0) continue
    const builder = createBlockBuilder(shape, inputDtypes, on)
    const sizes = entries.map(([, { left, right }]) => [builder.value(left), builder.value(right)] as const)
    const steps = sizes.map(([left, right]) => ({ left: left.step, right: right.step }))
    const plan = builder.finish()
    const values = await runProducts(plan, steps, blockRanges(plan))
    entries.forEach(([name], index) => {
      const [left, right] = sizes[index]!
      found.set(name, { rows: left.width, columns: right.width, values: values[index]! })
    })
  }
  return Object.fromEntries(Object.keys(requests).map((name) => [name, found.get(name)])) as {
    [K in keyof R]: DenseMatrix
  }
}
