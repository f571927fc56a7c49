import type { StreamedTensors } from '@mk/merge'
import { crossProduct, type Expression } from '@mk/tensor'

/** Rows of the largest Gram matrices that are held: half a gigabyte each. */
const MOST_ROWS = 8192

/** Effective ranks of some matrices, added up. */
export interface RankSums {
  readonly matrices: number
  readonly rank: number
  /** The smaller dimensions: what the ranks could be. */
  readonly most: number
  /** How many of the ranks are estimates. */
  readonly estimates: number
}

/**
 * Measures how many dimensions a matrix uses, in one pass more over its inputs: undefined where it is none, is not finite, or is too
 * large on both sides.
 */
export async function measureEffectiveRank(tensors: StreamedTensors, value: Expression): Promise<RankSums | undefined> {
  const [rows = 0, columns = 0, ...others] = tensors.shape
  const most = Math.min(rows, columns)
  if (others.length > 0 || most < 2 || most > MOST_ROWS) return undefined
  const { gram } = await tensors.products({ gram: crossProduct(value, value, rows < columns ? 'rows' : 'columns') })
  if (!gram.values.every(Number.isFinite)) return undefined
  const { rank, isEstimate } = await tensors.effectiveRank(gram)
  return { matrices: 1, rank, most, estimates: isEstimate ? 1 : 0 }
}
