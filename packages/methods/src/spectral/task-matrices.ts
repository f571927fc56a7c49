import { add, type DenseMatrix, type Expression, mul, sub } from '@mk/tensor'
import * as z from 'zod/mini'
import { linearCombination } from '../algebra/combine.ts'
import { notFinite } from '../algebra/not-finite.ts'
import { sumEach } from '../algebra/sum-each.ts'
import { countMatrices } from '../declare/count-matrices.ts'
import type { MethodContext, MethodInputs } from '../declare/define-method.ts'
import { byNorm, moderate } from '../declare/parameter-schemas.ts'
import { trace } from './shorter-side.ts'

/** Tells whether the tensor at hand is a matrix, so that there is a spectrum. */
export const isMatrix = ({ tensorName, shape, elementCount }: MethodContext): boolean =>
  shape.length === 2 && elementCount > 0 && countMatrices(tensorName, shape) === 1

/** Base plus the mean of the weighted task vectors, times lambda: what spectral methods make of norms, biases and other tensors that are no matrices. */
export function averageTasks(
  { base, models }: MethodInputs,
  { weight, lambda }: { readonly weight: readonly number[]; readonly lambda: number },
): Expression {
  const deltas = models.map((x) => sub(x, base!))
  return add(base!, mul(linearCombination(deltas, weight), lambda / models.length))
}

/** Checks that a Gram matrix of task vectors is finite. @throws MethodError 'not-finite', naming the first model that is not */
export async function checkFinite(
  gram: DenseMatrix,
  deltas: readonly Expression[],
  context: MethodContext,
): Promise<void> {
  if (Number.isFinite(trace(gram))) return
  const squares = await sumEach(
    deltas.map((delta) => mul(delta, delta)),
    context,
  )
  const model = squares.findIndex((sum) => !Number.isFinite(sum))
  throw notFinite(context, { model: Math.max(model, 0), lessBase: true })
}

/** The schema of the factor on a model's task vector. */
export const taskWeight = z
  ._default(z.number(), 1)
  .check(z.describe('Factor on the change that the model makes to the base.'), z.meta({ ...moderate, ...byNorm }))

/** The schema of the factor on all that is merged. */
export const mergedFactor = z
  ._default(z.number(), 1)
  .check(z.describe('Factor on the merged change of the base.'), z.meta(moderate))
