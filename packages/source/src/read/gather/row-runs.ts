import { elementCount } from '@mk/safetensors'
import type { GatherSegment, GatherSource } from '../../tensor-source.ts'

/** Consecutive rows of a gather that come from one place. */
export interface RowRun {
  /** Of the gather. */
  readonly row: number
  readonly rowCount: number
  readonly segment: GatherSegment
}

/** A gather as runs of rows, found once for each. */
export interface RowRuns {
  readonly source: GatherSource
  /** Elements of a row. */
  readonly columns: number
  readonly runs: readonly RowRun[]
}

/** Joins copies of adjacent rows, and leaves out segments without rows. */
export function rowRuns(source: GatherSource): RowRuns {
  const runs: RowRun[] = []
  let row = 0
  for (const segment of source.segments) {
    const last = runs.at(-1)
    const before = last?.segment
    if (
      last &&
      before?.kind === 'copy' &&
      segment.kind === 'copy' &&
      before.source === segment.source &&
      before.row + before.rowCount === segment.row
    ) {
      const rowCount = last.rowCount + segment.rowCount
      runs[runs.length - 1] = { row: last.row, rowCount, segment: { ...before, rowCount } }
    } else if (segment.rowCount > 0) {
      runs.push({ row, rowCount: segment.rowCount, segment })
    }
    row += segment.rowCount
  }
  return { source, columns: elementCount(source.shape.slice(1)), runs }
}

/** Finds the index of the run that holds a row. */
export function runAt(runs: readonly RowRun[], row: number): number {
  let low = 0
  let high = runs.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (runs[middle]!.row <= row) low = middle
    else high = middle - 1
  }
  return low
}
