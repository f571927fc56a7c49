import type { GatherSegment } from '@mk/checkpoint'

/** Joins rows into runs: neighbours in the output that are neighbours in their source, and repeated fillings. */
export function createSegmentList(): { readonly segments: GatherSegment[]; push(segment: GatherSegment): void } {
  const segments: GatherSegment[] = []
  let last: GatherSegment | undefined
  const push = (segment: GatherSegment): void => {
    if (last !== undefined && continues(last, segment)) {
      last = { ...last, rowCount: last.rowCount + segment.rowCount }
      segments[segments.length - 1] = last
    } else {
      last = segment
      segments.push(segment)
    }
  }
  return { segments, push }
}

function continues(last: GatherSegment, next: GatherSegment): boolean {
  if (next.kind === 'copy') return last.kind === 'copy' && last.source === next.source && last.row + last.rowCount === next.row
  return next.kind !== 'mean' && last.kind === next.kind
}
