import { randomKey } from '@mk/tensor'
import { type ElementRange, uniformAt } from '@mk/tensor/runtime'

/** Which tensors are read in part, and in what pieces. */
export interface SampleSizes {
  /** Tensors of up to so many elements are read whole; 2^21 if absent. */
  readonly wholeElements?: number
  /** Consecutive elements that are read together; 2^16 if absent. A power of two, at most CHUNK_ELEMENTS. */
  readonly blockElements?: number
}

/** Groups of blocks, each spread over the whole tensor: how much their sums differ tells how far an estimate may be off. */
export const SAMPLE_GROUPS = 16
/** Of tensors so large that it is more than a block for each group. */
const LEAST_SHARE = 1 / 16

/** A block that is read, and stands for others of the tensor. */
export interface SampledBlock {
  readonly range: ElementRange
  /** The elements that it stands for, itself among them, ÷ its own. */
  readonly weight: number
  /** From 0 to SAMPLE_GROUPS − 1. */
  readonly group: number
}

/**
 * Chooses blocks spread evenly over a tensor, in each of as many equal parts one by chance: a function of name and size only.
 * @returns undefined where the tensor is to be read whole
 */
export function sampleBlocks(
  name: string,
  elementCount: number,
  { wholeElements = 2 ** 21, blockElements = 2 ** 16 }: SampleSizes = {},
): readonly SampledBlock[] | undefined {
  const blockCount = Math.ceil(elementCount / blockElements)
  const count = SAMPLE_GROUPS * Math.ceil((blockCount * LEAST_SHARE) / SAMPLE_GROUPS)
  if (elementCount <= wholeElements || count >= blockCount) return undefined
  const key = randomKey(0, name, 0)
  const turn = Math.floor(uniformAt(key, count) * SAMPLE_GROUPS)
  return Array.from({ length: count }, (_, index) => {
    const first = Math.floor((index * blockCount) / count)
    const end = Math.floor(((index + 1) * blockCount) / count)
    const standsFor = Math.min(end * blockElements, elementCount) - first * blockElements
    // The last block may be a short one, which is drawn as seldom as it is short: it would stand for the others of its part.
    const start = (first + Math.floor((uniformAt(key, index) * standsFor) / blockElements)) * blockElements
    const range = { start, end: Math.min(start + blockElements, elementCount) }
    return { range, weight: standsFor / (range.end - range.start), group: (index + turn) % SAMPLE_GROUPS }
  })
}

/**
 * Tells by how much less an estimate is off than if other elements than its own were meant, as a factor: what a block stands for is
 * part known and part not, and blocks that stand for no more than themselves know all of it.
 */
export function unreadFactor(blocks: readonly SampledBlock[]): number {
  let [whole, squared] = [0, 0]
  for (const { range, weight } of blocks) {
    whole += weight * (range.end - range.start)
    squared += weight ** 2 * (range.end - range.start)
  }
  return Math.sqrt(1 - whole / squared)
}
