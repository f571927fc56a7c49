import type { GatherSegment, GatherSource } from '../tensor-source.ts'

/** Consecutive rows of a gather that come from one place; copies of adjacent rows are joined. */
export interface RowRun {
  /** Of the gather. */
  readonly row: number
  readonly rowCount: number
  readonly segment: GatherSegment
}

/** What readers of gathers keep from one call to the next. */
export interface GatherRows {
  runsOf(source: GatherSource): readonly RowRun[]
  /** The bytes of a computed row, taken from `compute` where they aren't kept. */
  row(source: GatherSource, segment: GatherSegment, compute: () => Uint8Array): Uint8Array
}

const keptOthersRows = 4

export function createGatherRows(): GatherRows {
  const runs = new WeakMap<GatherSource, readonly RowRun[]>()
  const means = new WeakMap<GatherSegment, Uint8Array>()
  // A mean over all other rows is dear, so it is found again where the same source comes as another object.
  const others = new Map<string, Uint8Array>()

  const byContent = (source: GatherSource, compute: () => Uint8Array): Uint8Array => {
    const key = JSON.stringify(source)
    let row = others.get(key)
    if (row === undefined) {
      row = compute()
      if (others.size >= keptOthersRows) others.delete(others.keys().next().value!)
      others.set(key, row)
    }
    return row
  }

  return {
    runsOf(source) {
      let known = runs.get(source)
      if (known === undefined) runs.set(source, (known = joinSegments(source.segments)))
      return known
    },
    row(source, segment, compute) {
      let row = means.get(segment)
      if (row !== undefined) return row
      row = segment.kind === 'mean-of-others' ? byContent(source, compute) : compute()
      if (segment.rowCount > 1) means.set(segment, row)
      return row
    },
  }
}

function joinSegments(segments: readonly GatherSegment[]): RowRun[] {
  const runs: RowRun[] = []
  let row = 0
  for (const segment of segments) {
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
  return runs
}

/** Index of the run that holds a row. */
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
