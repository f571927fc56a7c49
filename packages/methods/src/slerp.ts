import { add, mul, perRow, type Expression } from '@mk/tensor'
import { z } from 'zod'
import { linearCombination } from './combine.ts'
import { defineMethod, type MethodContext } from './define-method.ts'
import { gramMatrix } from './gram.ts'

/** A length up to this is not divided by. */
const smallestLength = 1e-8
/** Beyond this |cos θ| the great circle is as good as a straight line. */
const straight = 0.9995

/**
 * Spherical linear interpolation of base and one other, each tensor taken as one vector: with θ the angle between them,
 * (sin((1−t)θ)·base + sin(tθ)·other) / sin θ. Nearly (anti)parallel tensors, and those of one element, which have no
 * angle, are interpolated linearly.
 * @throws MethodError `not-finite`
 */
export const slerp = defineMethod({
  name: 'slerp',
  summary: 'Spherical interpolation from the base model to one other.',
  reference: {
    title: 'Animating rotation with quaternion curves (Shoemake 1985)',
    url: 'https://en.wikipedia.org/wiki/Slerp',
  },
  base: 'required',
  models: { min: 1, max: 1 },
  missing: 'passthrough',
  parameters: {
    perModel: {},
    methodWide: { t: z.number().describe('Position on the way from the base (0) to the other model (1).') },
  },
  async merge({ base, models: [other] }, { t }, context) {
    const pair = [base!, other!]
    if (context.elementCount <= 1) return linearCombination(pair, [1 - t, t])
    const [[aa, ab], [, bb]] = (await gramMatrix(pair, context)) as [[number, number], [number, number]]
    return linearCombination(pair, slerpCoefficients(t, { aa, bb, ab }))
  },
})

/** Coefficients of a and b in slerp(a, b; t), from ⟨a,a⟩, ⟨b,b⟩ and ⟨a,b⟩. */
export function slerpCoefficients(t: number, { aa, bb, ab }: { aa: number; bb: number; ab: number }): [number, number] {
  const length = (squared: number): number => (Math.sqrt(squared) > smallestLength ? Math.sqrt(squared) : 1)
  const cos = ab / (length(aa) * length(bb))
  return Math.abs(cos) > straight ? [1 - t, t] : arcCoefficients(t, Math.acos(cos))
}

/** sin((1−t)θ)/sin θ and sin(tθ)/sin θ, where sin θ is not 0. */
export const arcCoefficients = (t: number, angle: number): [number, number] => [
  Math.sin((1 - t) * angle) / Math.sin(angle),
  Math.sin(t * angle) / Math.sin(angle),
]

/** The rows of a matrix that a model has: 1 where it has one, 0 where not. */
export interface PartialMatrix {
  readonly tensor: Expression
  readonly presence: Float32Array
}

/**
 * SLERP of two embedding matrices of which each lacks some rows: the angle is that of the whole matrices, absent rows
 * counting as zeros; a row that only one has is taken as it is, one that neither has is zeros.
 */
export async function embeddingSlerp(
  base: PartialMatrix,
  other: PartialMatrix,
  t: number,
  context: MethodContext,
): Promise<Expression> {
  const masked = [base, other].map(({ tensor, presence }) => mul(tensor, perRow(presence)))
  const [[aa, ab], [, bb]] = (await gramMatrix(masked, context)) as [[number, number], [number, number]]
  const [s0, s1] = slerpCoefficients(t, { aa, bb, ab })
  const alone = (own: Float32Array, others: Float32Array, coefficient: number): Float32Array =>
    own.map((present, row) => (present ? (others[row] ? coefficient : 1) : 0))
  return add(
    mul(base.tensor, perRow(alone(base.presence, other.presence, s0))),
    mul(other.tensor, perRow(alone(other.presence, base.presence, s1))),
  )
}
