import { abs, add, div, exp, type Expression, ge, log, maximum, mul, rowVector, select, sub, sum } from '@mk/tensor'
import { defineMethod, type MethodContext } from './define-method.ts'

/** Added to each probability. */
const smallestProbability = 1e-8

/**
 * The other model where the importance of its change is high, the base elsewhere. The importance of an element is
 * |other − base| · KL(softmax(other) ‖ softmax(base)), the softmax over its row; it is high from
 * median + 1.5·(Q3 − Q1) of the tensor on. Quantiles are exact, their index rounded down.
 */
export const arceeFusion = defineMethod({
  name: 'arcee_fusion',
  summary: 'Base, but the other model where its changes matter most.',
  reference: { title: 'Arcee Fusion (mergekit)', url: 'https://www.arcee.ai/blog/meet-mergekit-v0-1-arcee-fusion-expanded-model-support-multi-gpu-acceleration' },
  base: 'required',
  models: { min: 1, max: 1 },
  parameters: { perModel: {}, methodWide: {} },
  async merge({ base, models: [other] }, _parameters, context) {
    if (context.elementCount === 0) return base!
    const importance = mul(abs(sub(other!, base!)), rowVector(await divergenceOfRows(other!, base!, context)))
    const last = context.elementCount - 1
    const ranks = [0.25, 0.5, 0.75].map((q) => context.elementCount - Math.floor(q * last))
    const [q1, median, q3] = (await context.kthLargest(importance, ranks)) as [number, number, number]
    return select(ge(importance, median + 1.5 * (q3 - q1)), other!, base!)
  },
})

/** KL(softmax(a) ‖ softmax(b)) of each row. */
async function divergenceOfRows(a: Expression, b: Expression, context: MethodContext): Promise<Float32Array> {
  const tops = await context.reduce({ a: maximum(a, 'row'), b: maximum(b, 'row') })
  const powers = { a: exp(sub(a, asVector(tops.a))), b: exp(sub(b, asVector(tops.b))) }
  const sums = await context.reduce({ a: sum(powers.a, 'row'), b: sum(powers.b, 'row') })
  const p = add(div(powers.a, asVector(sums.a)), smallestProbability)
  const q = add(div(powers.b, asVector(sums.b)), smallestProbability)
  const { divergence } = await context.reduce({ divergence: sum(mul(p, log(div(p, q))), 'row') })
  return Float32Array.from(divergence)
}

const asVector = (values: Float64Array): Expression => rowVector(Float32Array.from(values))
