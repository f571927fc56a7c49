import { abs, div, eq, type Expression, le, type Mask, maximum, mul, not, type Operand, select, sub } from '@mk/tensor'
import { total } from './combine.ts'

/** The task vectors of the models, and where each is active. */
export interface Activity {
  readonly deltas: readonly Expression[]
  readonly active: readonly Mask[]
  /** In how many models the element is active. */
  readonly count: Expression
}

/** Finds the elements of the task vectors δ = model − base with |δ| > epsilon. */
export function findActive(base: Expression, models: readonly Expression[], epsilon: number): Activity {
  const deltas = models.map((x) => sub(x, base))
  // not ≤ instead of >, so that NaN is active and shows in the result
  const active = deltas.map((delta) => not(le(abs(delta), epsilon)))
  return { deltas, active, count: total(active.map((mask) => select(mask, 1, 0))) }
}

/**
 * Averages each element over the models in which it is active; where that is one alone, its change is multiplied by the factor
 * of that model.
 */
export const averageActive = ({ deltas, active, count }: Activity, uniqueFactors: readonly Operand[]): Expression => {
  const unique = eq(count, 1)
  const sum = total(deltas.map((delta, i) => select(active[i]!, mul(delta, select(unique, uniqueFactors[i]!, 1)), 0)))
  return div(sum, maximum(count, 1))
}
