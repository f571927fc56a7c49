import { abs, exp, type Expression, ge, lt, max, mul, neg, perRow, select, sub, sum } from '@mk/tensor'
import { defineMethod, type MethodContext } from '../declare/define-method.ts'

/**
 * Takes the other model where the importance of its change is high, the base elsewhere. The importance of an element is
 * |other − base| · KL(softmax(other) ‖ softmax(base)), the softmax over its row; it is high from
 * median + 1.5·(Q3 − Q1) of the tensor on. Quantiles are exact, their index rounded down. An element that is exactly at the threshold
 * counts as high, as those of 16-bit models often are.
 */
export const arceeFusion = defineMethod({
  name: 'arcee_fusion',
  summary: 'Base, but the other model where its changes matter most.',
  reference: { title: 'Arcee Fusion (Arcee AI)', url: 'https://www.arcee.ai' },
  base: 'required',
  models: { min: 1, max: 1 },
  parameters: { perModel: {}, methodWide: {} },
  examples: [{}],
  async merge({ base, models: [other] }, _parameters, context) {
    if (context.elementCount === 0) return base!
    const divergences = await rowDivergences(other!, base!, context)
    const change = abs(sub(other!, base!))
    // What all elements are multiplied by changes no order, and to multiply rounds.
    const isOneRow = divergences.length === 1 && divergences[0]! > 0
    const importance = isOneRow ? change : mul(change, perRow(divergences))
    const last = context.elementCount - 1
    const ranks = [0.25, 0.5, 0.75].map((q) => context.elementCount - Math.floor(q * last))
    const [q1, median, q3] = (await context.kthLargest(importance, ranks)) as [number, number, number]
    const threshold = median + 1.5 * (q3 - q1)
    return select(ge(importance, float32From(isOneRow ? threshold : threshold * (1 - rounding))), other!, base!)
  },
})

/** How far rounding to float32 may part two importances that are equal. */
const rounding = 2 ** -22

/** Finds the smallest float32 that is not below the number: x ≥ the one where x ≥ the other. */
function float32From(value: number): number {
  const float = Float32Array.of(value)
  if (float[0]! < value) new Int32Array(float.buffer)[0]! += float[0]! < 0 ? -1 : 1
  return float[0]!
}

/**
 * Computes KL(P ‖ Q) of each row, P = softmax(a) and Q = softmax(b). Models differ by little, so that Σ p·log(p/q) would be a small
 * difference of large numbers, less than their rounding. With d = a − b and μ its mean under P, however,
 * KL = log(1 + Σ p·(exp(−(d−μ)) − 1 + (d−μ))), where no term is negative.
 */
export async function rowDivergences(a: Expression, b: Expression, context: MethodContext): Promise<Float32Array> {
  return (await divergencesOfNear(a, b, context)) ?? divergencesOfAny(a, b, context)
}

/** Of the sum above when it is taken about 0 instead of μ, how much the difference may be for its digits still to be there. */
const mostShift = 0.25

/** In one pass, if all differences are small, no exponential comes near the ends of float32, and each μ is small against them. */
async function divergencesOfNear(
  a: Expression,
  b: Expression,
  context: MethodContext,
): Promise<Float32Array | undefined> {
  const d = sub(a, b)
  const power = exp(a)
  const { widest, powers, shift, excess } = await context.reduce({
    widest: max(abs(d), 'tensor'),
    powers: sum(power, 'row'),
    shift: sum(mul(power, d), 'row'),
    excess: sum(mul(power, bendOfSmall(d)), 'row'),
  })
  if (!(widest < small)) return undefined
  const result = new Float32Array(powers.length)
  for (let row = 0; row < result.length; row++) {
    const total = powers[row]!
    if (!(total > 1e-20 && total < 1e30)) return undefined
    const μ = shift[row]! / total
    const aboutZero = Math.exp(μ) * (excess[row]! / total)
    const change = fromZeroToMean(μ)
    if (!(change <= mostShift * aboutZero)) return undefined
    result[row] = Math.log1p(aboutZero - change)
  }
  return result
}

/** Computes 1 − exp(μ)·(1 − μ) = Σ μᵏ·(k−1)/k! of a small μ. */
export const fromZeroToMean = (μ: number): number =>
  μ * μ * (1 / 2 + μ * (1 / 3 + μ * (1 / 8 + μ * (1 / 30 + μ * (1 / 144 + μ * (1 / 840 + μ / 5760))))))

async function divergencesOfAny(a: Expression, b: Expression, context: MethodContext): Promise<Float32Array> {
  const { top } = await context.reduce({ top: max(a, 'row') })
  const d = sub(a, b)
  const power = exp(sub(a, perRow(Float32Array.from(top))))
  const { powers, shift } = await context.reduce({ powers: sum(power, 'row'), shift: sum(mul(power, d), 'row') })
  const μ = perRow(Float32Array.from(shift, (value, row) => value / powers[row]!))
  const { excess } = await context.reduce({ excess: sum(mul(power, bend(sub(d, μ))), 'row') })
  return Float32Array.from(excess, (value, row) => Math.log1p(value / powers[row]!))
}

/** Up to here the terms of exp(−x) − 1 + x would cancel. */
const small = 0.25

/** exp(−x) − 1 + x */
const bend = (x: Expression): Expression => select(lt(abs(x), small), bendOfSmall(x), sub(exp(neg(x)), sub(1, x)))

/** Computes exp(−x) − 1 + x of a small x. */
export function bendOfSmall(x: Expression): Expression {
  const series = [120, 24, 6].reduce<Expression | number>((rest, n) => sub(1 / n, mul(x, rest)), 1 / 720)
  return mul(mul(x, x), sub(0.5, mul(x, series)))
}
