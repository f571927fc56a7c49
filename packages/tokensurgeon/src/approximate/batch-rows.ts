import type { RowStore } from '../rows/row-store.ts'

/** Rows that are made together, at most. */
export const mostRows = 512

/** Elements of correlations that are kept at once. */
const correlationElements = 2 ** 23

/**
 * Chooses how many targets are compared with all atoms at once.
 * @param batchSize the most, where it is more than 0
 * @param most what else limits them
 */
export function batchRows({ rows }: Pick<RowStore, 'rows'>, batchSize: number, most = Infinity): number {
  const room = Math.max(1, Math.min(Math.floor(correlationElements / rows), most, mostRows))
  return batchSize > 0 ? Math.min(batchSize, room) : room
}
