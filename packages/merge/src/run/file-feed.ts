import { dtypeBytes } from '@mk/safetensors'
import { type ElementRange, rangeElements } from '@mk/tensor/runtime'
import type { Chunk, ChunkCache } from './chunk-cache.ts'
import { gatheredRange } from './run-ranges.ts'
import type { TensorPass } from './task.ts'

/** Bytes [byteStart, byteEnd) of a file. */
export interface FileRange {
  readonly file: string
  readonly byteStart: number
  readonly byteEnd: number
}

/** Brings bytes of files to a thread before it reads them, for where reading at once is slow. */
export interface FileFeed {
  /**
   * Asks for what some calls will read, in their order; what was asked for before and did not arrive is not wanted any more.
   * @returns waits for what the next call reads; absent where it is read as well at once
   */
  ask(calls: readonly (readonly FileRange[])[]): (() => Promise<void>) | undefined
}

type Uses = (slot: number) => boolean

/** Asks for what calls, one for each range, read of files as it lies there, but for what is kept. */
export const askForRanges = (
  feed: FileFeed | undefined,
  pass: TensorPass,
  ranges: readonly ElementRange[],
  uses: Uses,
  cache?: ChunkCache,
): ReturnType<FileFeed['ask']> =>
  feed?.ask(
    ranges.map((range) => {
      const isKept: IsKept = (chunk) => cache?.get(pass.tensor, chunk) !== undefined
      return partsOf(pass, range, uses, isKept)
    }),
  )

/** Does so for one call that covers all ranges. */
export const askForGathered = (
  feed: FileFeed | undefined,
  pass: TensorPass,
  ranges: readonly ElementRange[],
  uses: Uses,
  cache: ChunkCache,
): ReturnType<FileFeed['ask']> => {
  const elementCount = rangeElements(ranges)
  const isKept: IsKept = ({ slot }) => {
    const byteLength = elementCount * dtypeBytes(pass.sources[slot]!.dtype)
    return cache.get(pass.tensor, { slot, ...gatheredRange(elementCount), byteLength }) !== undefined
  }
  return feed?.ask([ranges.flatMap((range) => partsOf(pass, range, uses, isKept))])
}

type IsKept = (chunk: Chunk) => boolean

function partsOf(
  { sources, elementOffset = 0 }: TensorPass,
  { start, end }: ElementRange,
  uses: Uses,
  isKept: IsKept,
): readonly FileRange[] {
  const first = elementOffset + start
  return sources.flatMap((source, slot) => {
    if (source.kind !== 'file' || !uses(slot)) return []
    const elementBytes = dtypeBytes(source.dtype)
    const byteLength = (end - start) * elementBytes
    if (isKept({ slot, start: first, end: elementOffset + end, byteLength })) return []
    const byteStart = source.byteStart + first * elementBytes
    return [{ file: source.file, byteStart, byteEnd: byteStart + byteLength }]
  })
}
