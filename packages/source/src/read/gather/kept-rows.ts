import type { GatherSegment, GatherSource } from '../../tensor-source.ts'

/** Computed rows that are kept from one call to the next. */
export interface KeptRows {
  find(source: GatherSource, segment: GatherSegment): Uint8Array | undefined
  keep(source: GatherSource, segment: GatherSegment, row: Uint8Array): void
}

const keptOthersRows = 4

/** Creates a store that is empty at first. */
export function createKeptRows(): KeptRows {
  const bySegment = new WeakMap<GatherSegment, Uint8Array>()
  // A mean over all other rows is expensive, so it is found again where the same source comes as another object.
  const others = new Map<string, Uint8Array>()

  return {
    find(source, segment) {
      const row = bySegment.get(segment)
      if (row !== undefined || segment.kind !== 'mean-of-others') return row
      return others.get(JSON.stringify(source))
    },
    keep(source, segment, row) {
      if (segment.rowCount > 1) bySegment.set(segment, row)
      const key = segment.kind === 'mean-of-others' ? JSON.stringify(source) : undefined
      if (key === undefined || others.has(key)) return
      if (others.size >= keptOthersRows) others.delete(others.keys().next().value!)
      others.set(key, row)
    },
  }
}
