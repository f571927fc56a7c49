import type { Dtype } from '@mk/safetensors'
import type { GatherSegment, GatherSource, TensorSource } from './tensor-source.ts'

/** A matrix whose rows are taken or made from those of others. */
export interface GatheredRows {
  readonly dtype: Dtype
  /** [rows, …]; the row counts of the segments add up to the first. */
  readonly shape: readonly number[]
  /** Their `source` may be any number that `sourceOf` knows. */
  readonly segments: readonly GatherSegment[]
  /** Finds a source by its number; asked once for each that is used, in order of first use. */
  readonly sourceOf: (source: number) => TensorSource
}

/** Makes the source of rows put together, which lists the sources that its segments use and no others. */
export function gatherSource({ dtype, shape, segments, sourceOf }: GatheredRows): GatherSource {
  const places = new Map<number, number>()
  const placeOf = (source: number): number => {
    const place = places.get(source) ?? places.size
    places.set(source, place)
    return place
  }
  const placed = segments.map((segment): GatherSegment => {
    switch (segment.kind) {
      case 'copy':
        return { ...segment, source: placeOf(segment.source) }
      case 'mean':
        return { ...segment, of: segment.of.map((row) => ({ ...row, source: placeOf(row.source) })) }
      case 'mean-of-others':
      case 'zero':
        return segment
      default:
        return segment satisfies never
    }
  })
  return { kind: 'gather', dtype, shape, sources: [...places.keys()].map(sourceOf), segments: placed }
}
