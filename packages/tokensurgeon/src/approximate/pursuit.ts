import type { RowStore } from '../rows/row-store.ts'
import type { Combination } from './choose.ts'
import type { Correlator } from './correlate.ts'

/** Finds combinations for rows of the atoms' width. */
export interface Pursuit {
  /** As many targets as one call had better have. */
  readonly batch: number
  /** @param targets `count` rows */
  solve(targets: Float32Array, count: number): Promise<readonly Combination[]>
}

/** What both ways of pursuing go by. */
export interface PursuitParts {
  readonly atoms: RowStore
  readonly k: number
  readonly batch: number
  readonly correlator: Correlator
}
