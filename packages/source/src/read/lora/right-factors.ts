import type { ElementReader } from '../elements/element-reader.ts'
import { type Factor, readRankFirst } from './factors.ts'

/** The most of a factor that is held at once, in elements: at rank 16 all of a matrix of 65,536 columns. */
const blockElements = 1 << 20
const heldElements = 2 * blockElements

/** The parts of right factors read last, which the next calls mostly need again. */
export interface RightFactors {
  /** Reads columns [from, to) of a factor as [rank, to − from], perhaps with more behind; valid until the next call. */
  read(factor: Factor, from: number, to: number): Float32Array
}

/** Tells how many columns of W a held part of the right factor may span. */
export const mostColumns = (rank: number): number => Math.max(1, Math.floor(blockElements / rank))

/** Creates a store of right factors, at most 8 MiB of them. */
export function createRightFactors(elements: ElementReader): RightFactors {
  const held = new Map<string, Float32Array>()

  /** Finds a buffer for `count` elements, one that was held where it is large enough. */
  function makeRoom(count: number): Float32Array {
    let total = [...held.values()].reduce((sum, { length }) => sum + length, count)
    let reusable: Float32Array | undefined
    for (const [oldest, block] of held) {
      if (total <= heldElements) break
      held.delete(oldest)
      total -= block.length
      if (block.length >= count) reusable = block
    }
    return reusable ?? new Float32Array(count)
  }

  return {
    read(factor, from, to) {
      const key = JSON.stringify([factor, from, to])
      let block = held.get(key)
      if (block === undefined) {
        const count = factor.rank * (to - from)
        block = makeRoom(count)
        readRankFirst(elements, factor, from, to, block.subarray(0, count))
      }
      // Last in the map is used last.
      held.delete(key)
      held.set(key, block)
      return block
    },
  }
}
