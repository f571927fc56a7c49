import { add, type Expression, mul, perRow } from '@mk/tensor'
import { slerpCoefficients } from '../algebra/arc.ts'
import { gramMatrix } from '../algebra/gram.ts'
import type { MethodContext } from '../declare/define-method.ts'

/** An embedding matrix of which a model has some rows only. */
export interface PartialMatrix {
  readonly tensor: Expression
  /** For each row 1 where the model has it, 0 where not. */
  readonly presence: Float32Array
}

/**
 * Interpolates by SLERP between two embedding matrices of which each lacks some rows: the angle is that of the whole matrices, absent rows
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
