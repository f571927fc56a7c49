import { and, count, div, eq, type Expression, ge, le, max, mul, not, select } from '@mk/tensor'
import * as z from 'zod/mini'
import { linearCombination, total } from '../algebra/combine.ts'
import { normalizeWeights } from '../algebra/weights.ts'
import { defineMethod, type MethodContext } from '../declare/define-method.ts'
import { byNorm, tensorsOfFile } from '../declare/parameter-schemas.ts'
import { MethodError } from '../errors.ts'

/** The largest float32. */
const largest = 3.4028234663852886e38

/**
 * Computes Σ wᵢ·Fᵢ·xᵢ / Σ wᵢ·Fᵢ element by element, where Fᵢ is the importance of each element of model i: its diagonal Fisher
 * information, or anything else that is not negative. Where no model's counts, Σ wᵢ·xᵢ / Σ wᵢ.
 * @throws MethodError `importance-invalid`, `weights-sum-to-zero`
 */
export const fisher = defineMethod({
  name: 'fisher',
  summary: 'Average of the models, each element weighted by how important it is to each of them.',
  reference: { title: 'Fisher merging (Matena & Raffel 2021)', url: 'https://arxiv.org/abs/2111.09832' },
  base: 'none',
  models: { min: 1 },
  parameters: {
    perModel: {
      importance: tensorsOfFile(
        'A file with a tensor for each of the model, of the same name and shape: how important each element is.',
      ),
      weight: z
        ._default(z.number().check(z.minimum(0)), 1)
        .check(z.describe('Factor on the importance of the model, relative to the others.'), z.meta(byNorm)),
    },
    methodWide: {},
  },
  examples: [{ importance: 'importance.safetensors' }, { importance: 'importance.safetensors', weight: 0.5 }],
  async merge({ models }, { importance, weight }, context) {
    const plain = normalizeWeights(weight, context.tensorName)
    await checkImportance(importance, weight, context)
    const weighted = importance.map((each, i) => mul(each, weight[i]!))
    const sum = total(weighted)
    const isUnimportant = eq(sum, 0)
    // The shares first: products of small importances with small elements would vanish.
    const shares = weighted.map((each, i) => select(isUnimportant, plain[i]!, div(each, sum)))
    return linearCombination(models, shares)
  },
})

/** Counts what is no importance, and tells where nothing of a tensor has any. */
async function checkImportance(
  importance: readonly Expression[],
  weight: readonly number[],
  context: MethodContext,
): Promise<void> {
  const { tensorName: tensor, elementCount, nameOf, warn } = context
  const found = await context.reduce(
    Object.fromEntries(
      importance.flatMap((each, i) => [
        [`wrong ${i}`, count(not(and(ge(each, 0), le(each, largest))), 'tensor')] as const,
        [`most ${i}`, max(each, 'tensor')] as const,
      ]),
    ),
  )
  importance.forEach((_, model) => {
    const wrong = found[`wrong ${model}`]!
    if (wrong > 0)
      throw new MethodError({ code: 'importance-invalid', tensor, model, name: nameOf(model), wrong, elementCount })
  })
  const most = importance.map((_, i) => weight[i]! * found[`most ${i}`]!)
  if (most.reduce((a, b) => a + b) > largest) {
    const model = most.indexOf(Math.max(...most))
    throw new MethodError({ code: 'importance-too-large', tensor, name: nameOf(model) })
  }
  if (most.every((each) => each === 0))
    warn(`${tensor}: its importance is 0 in all models; it is averaged by their weights alone`)
}
