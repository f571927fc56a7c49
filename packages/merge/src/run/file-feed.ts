import { dtypeBytes } from '@mk/safetensors'
import type { ElementRange } from '@mk/tensor/runtime'
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

/**
 * Asks for what calls, each over some ranges, read of files as it lies there.
 * @param reads whether a call reads bytes of an input, from an element on
 */
export function askForCalls(
  feed: FileFeed | undefined,
  { sources, elementOffset = 0 }: TensorPass,
  calls: readonly (readonly ElementRange[])[],
  reads: (slot: number, start: number, byteLength: number) => boolean,
): ReturnType<FileFeed['ask']> {
  return feed?.ask(
    calls.map((ranges) =>
      sources.flatMap((source, slot) => {
        if (source.kind !== 'file') return []
        const elementBytes = dtypeBytes(source.dtype)
        return ranges.flatMap(({ start, end }) => {
          const first = elementOffset + start
          const byteLength = (end - start) * elementBytes
          if (!reads(slot, first, byteLength)) return []
          const byteStart = source.byteStart + first * elementBytes
          return [{ file: source.file, byteStart, byteEnd: byteStart + byteLength }]
        })
      }),
    ),
  )
}
