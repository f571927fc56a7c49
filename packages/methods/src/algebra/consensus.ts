import { type Expression, ge, gt, le, lt, type Mask, mul, select } from '@mk/tensor'
import { total } from './combine.ts'

/** The way to elect a sign: by the sum of the values, or by counting their signs. */
export type ConsensusMethod = 'sum' | 'count'

/**
 * Holds TIES's vote, element by element: the elected sign is that of the sum, + where it is 0.
 * @returns for each voter the mask of elements that do not agree with it; zeros never do. NaN is left in, so that it shows in
 * the result.
 */
export function dissent(voters: readonly Expression[], method: ConsensusMethod = 'sum'): Mask[] {
  const votes = method === 'sum' ? voters : voters.map((x) => select(gt(x, 0), 1, select(lt(x, 0), -1, 0)))
  const elected = select(ge(total(votes), 0), 1, -1)
  return voters.map((x) => le(mul(x, elected), 0))
}
