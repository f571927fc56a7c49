import { TensorError } from '../errors.ts'
import { blockRanges, createBlockBuilder } from './block-plan.ts'
import type { DenseMatrix, MatrixSide } from '../language/dense-matrix.ts'
import type { CrossProduct } from '../language/matrices.ts'
import type { StreamedTensor } from '../stages/stage.ts'

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
