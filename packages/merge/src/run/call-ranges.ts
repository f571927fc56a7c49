import { dtypeBytes } from '@mk/safetensors'
import type { ElementRange } from '@mk/tensor/runtime'
import type { ChunkCache } from './chunk-cache.ts'
import type { PassTask } from './task.ts'

/** What one kernel call covers. */
export interface Call {
  readonly range: ElementRange
  /** The first of the task's ranges in it; all of them belong to one group, or nobody asks for results. */
  readonly first: number
}

/**
 * Decides what each kernel call of a task covers: several ranges where results don't depend on it, but for those that are kept, or will be.
 * @param uses by input slot, whether it is read
 * @param most elements of a call
 */
export function callRanges(
  { pass, ranges, groups }: PassTask,
  uses: readonly boolean[],
  cache: ChunkCache,
  most: number,
): readonly Call[] {
  const { tensor, sources, keep, output, elementOffset = 0 } = pass
  let elementBytes = 0
  for (let slot = 0; slot < sources.length; slot++) if (uses[slot]) elementBytes += dtypeBytes(sources[slot]!.dtype)
  const looksForKept = cache.has(tensor)
  let room = keep ? cache.freeBytes() : 0
  const calls: { range: ElementRange; readonly first: number }[] = []
  let last: (typeof calls)[number] | undefined
  for (let index = 0; index < ranges.length; index++) {
    const range = ranges[index]!
    const byteLength = elementBytes * (range.end - range.start)
    const isKept = looksForKept && cache.holds(tensor, elementOffset + range.start)
    // Chunks are kept one by one, so that a later pass finds them, however they are shared out then.
    const isAlone = isKept || byteLength <= room
    if (isAlone && !isKept) room -= byteLength
    const joins =
      last !== undefined &&
      !isAlone &&
      last.range.end === range.start &&
      range.end - last.range.start <= most &&
      (output !== undefined || groups[last.first] === groups[index])
    if (joins) {
      last!.range = { start: last!.range.start, end: range.end }
      continue
    }
    const call = { range, first: index }
    calls.push(call)
    last = isAlone ? undefined : call
  }
  return calls
}
