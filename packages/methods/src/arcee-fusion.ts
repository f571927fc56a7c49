import { abs, exp, type Expression, ge, lt, maximum, mul, neg, rowVector, select, sub, sum } from '@mk/tensor'
import { defineMethod, type MethodContext } from './define-method.ts'

/**
 * The other model where the importance of its change is high, the base elsewhere. The importance of an element is
 * |other − base| · KL(softmax(other) ‖ softmax(base)), the softmax over its row; it is high from
 * median + 1.5·(Q3 − Q1) of the tensor on. Quantiles are exact, their index rounded down.
 */
export const arceeFusion = defineMethod({
  name: 'arcee_fusion',
  summary: 'Base, but the other model where its changes matter most.',
  reference: { title: 'Arcee Fusion (Arcee AI)', url: 'https://www.arcee.ai' },
  base: 'required',
  models: { min: 1, max: 1 },
  parameters: { perModel: {}, methodWide: {} },
  async merge({ base, models: [other] }, _parameters, context) {
    if (context.elementCount === 0) return base!
    const importance = mul(abs(sub(other!, base!)), rowVector(await rowDivergences(other!, base!, context)))
    const last = context.elementCount - 1
    const ranks = [0.25, 0.5, 0.75].map((q) => context.elementCount - Math.floor(q * last))
    const [q1, median, q3] = (await context.kthLargest(importance, ranks)) as [number, number, number]
    return select(ge(importance, median + 1.5 * (q3 - q1)), other!, base!)
  },
})

/**
 * KL(P ‖ Q) of each row, P = softmax(a) and Q = softmax(b). Models differ by little, so that Σ p·log(p/q) would be a small
 * difference of large numbers, less than their rounding. With d = a − b and μ its mean under P, however,
 * KL = log(1 + Σ p·(exp(−(d−μ)) − 1 + (d−μ))), where no term is negative.
 */
export async function rowDivergences(a: Expression, b: Expression, context: MethodContext): Promise<Float32Array> {
  const { top } = await context.reduce({ top: maximum(a, 'row') })
  const d = sub(a, b)
  const power = exp(sub(a, rowVector(Float32Array.from(top))))
  const { powers, shift } = await context.reduce({ powers: sum(power, 'row'), shift: sum(mul(power, d), 'row') })
  const μ = rowVector(Float32Array.from(shift, (value, row) => value / powers[row]!))
  const { excess } = await context.reduce({ excess: sum(mul(power, bend(sub(d, μ))), 'row') })
  return Float32Array.from(excess, (value, row) => Math.log1p(value / powers[row]!))
}

/** exp(−x) − 1 + x, by its series where the terms would cancel. */
function bend(x: Expression): Expression {
  const series = [120, 24, 6].reduce<Expression | number>((rest, n) => sub(1 / n, mul(x, rest)), 1 / 720)
  return select(lt(abs(x), 0.25), mul(mul(x, x), sub(0.5, mul(x, series))), sub(exp(neg(x)), sub(1, x)))
}
