import { dtypeBytes } from '@mk/safetensors'
import { type ElementRange, joinRanges } from '@mk/tensor/runtime'
import type { ChunkCache } from './chunk-cache.ts'
import type { PassTask } from './task.ts'

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
): readonly ElementRange[] {
  if (pass.output === undefined && !groups.every((group) => group === groups[0])) return ranges
  const { tensor, sources, keep, elementOffset = 0 } = pass
  const elementBytes = sources.reduce((sum, { dtype }, slot) => sum + (uses[slot] ? dtypeBytes(dtype) : 0), 0)
  let room = keep ? cache.freeBytes() : 0
  const calls: ElementRange[] = []
  let others: ElementRange[] = []
  for (const range of ranges) {
    const byteLength = elementBytes * (range.end - range.start)
    const isKept = cache.holds(tensor, elementOffset + range.start)
    // Chunks are kept one by one, so that a later pass finds them, however they are shared out then.
    if (isKept || byteLength <= room) {
      if (!isKept) room -= byteLength
      calls.push(...joinRanges(others, most), range)
      others = []
    } else others.push(range)
  }
  return calls.concat(joinRanges(others, most))
}
