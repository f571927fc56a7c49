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

/** What isn't kept yet: it will be, or there is no room for it. */
const [toKeep, passing] = [-1, -2]

/**
 * Decides what each kernel call of a task covers: several ranges where results don't depend on it. What is kept, will be and won't be are
 * calls apart.
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
  let lastKept = 0
  for (let index = 0; index < ranges.length; index++) {
    const range = ranges[index]!
    const byteLength = elementBytes * (range.end - range.start)
    let kept = looksForKept ? cache.keptUntil(tensor, elementOffset + range.start) : undefined
    if (kept === undefined) {
      kept = byteLength <= room ? toKeep : passing
      if (kept === toKeep) room -= byteLength
    }
    const joins =
      last !== undefined &&
      lastKept === kept &&
      last.range.end === range.start &&
      range.end - last.range.start <= most &&
      (output !== undefined || groups[last.first] === groups[index])
    if (joins) {
      last!.range = { start: last!.range.start, end: range.end }
      continue
    }
    last = { range, first: index }
    lastKept = kept
    calls.push(last)
  }
  return calls
}
