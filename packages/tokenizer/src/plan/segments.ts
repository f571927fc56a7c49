import type { GatherSegment } from '@mk/source'

export interface SegmentList {
  readonly segments: readonly GatherSegment[]
  /** Adds one row of a source. */
  pushCopy(source: number, row: number): void
  push(segment: GatherSegment): void
}

/** Joins rows into runs: neighbors in the output that are neighbors in their source, and repeated fillings. */
export function createSegmentList(): SegmentList {
  const segments: Draft[] = []
  let last: Draft | undefined
  const start = (segment: GatherSegment): void => {
    last = { ...segment }
    segments.push(last)
  }
  return {
    segments,
    pushCopy(source, row) {
      if (last?.kind === 'copy' && last.source === source && last.row + last.rowCount === row) last.rowCount++
      else start({ kind: 'copy', rowCount: 1, source, row })
    },
    push(segment) {
      if (segment.kind === 'copy' && segment.rowCount === 1) this.pushCopy(segment.source, segment.row)
      else if ((segment.kind === 'zero' || segment.kind === 'mean-of-others') && last?.kind === segment.kind)
        last.rowCount += segment.rowCount
      else start(segment)
    },
  }
}

type Mutable<Segment> = Segment extends unknown ? { -readonly [Key in keyof Segment]: Segment[Key] } : never
type Draft = Mutable<GatherSegment>
