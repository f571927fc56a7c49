import { elementCount } from '@mk/safetensors'
import type { LoraSource, TensorSource } from '../tensor-source.ts'
import { createRowMultiplier, type RowMultiplier } from './multiply-rows.ts'
import type { ReadContext } from './read-context.ts'
import { pieceElements, readFloats, withFloats } from './read-floats.ts'

/**
 * W's change as left · right: `left` has a row of `rank` per row of W, `right` a column of `rank` per column of W. Each is
 * stored with the rank first ([rank, n]) or last ([n, rank]).
 */
export interface Factors {
  readonly rank: number
  readonly left: Factor
  readonly right: Factor
}

interface Factor {
  readonly source: TensorSource
  readonly rankFirst: boolean
}

export function factorsOf({ a, b, transposed }: LoraSource): Factors {
  const ofA = { source: a, rankFirst: true }
  const ofB = { source: b, rankFirst: false }
  return { rank: a.shape[0] ?? 1, ...(transposed ? { left: ofA, right: ofB } : { left: ofB, right: ofA }) }
}

/** The most of a factor that is held at once, in elements: at rank 16 all of a matrix of 65,536 columns. */
const blockElements = 1 << 20
const heldElements = 2 * blockElements

/** The parts of factors read last, which the next calls mostly need again. */
export interface LoraFactors {
  readonly multiplier: RowMultiplier
  /** How many columns of W a held part of the right factor may span. */
  blockColumns(rank: number): number
  /** Columns [from, to) of the right factor as [rank, to − from], perhaps with more behind; valid until the next call. */
  right(context: ReadContext, factors: Factors, from: number, to: number): Float32Array
}

export function createLoraFactors(): LoraFactors {
  const held = new Map<string, Float32Array>()

  /** A buffer for `count` elements, one that was held where it is large enough. */
  const makeRoom = (count: number): Float32Array => {
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

  let multiplier: RowMultiplier | undefined
  return {
    get multiplier() {
      return (multiplier ??= createRowMultiplier())
    },
    blockColumns: (rank) => Math.max(1, Math.floor(blockElements / rank)),
    right(context, { rank, right }, from, to) {
      const key = JSON.stringify([right, from, to])
      let block = held.get(key)
      if (block === undefined) {
        block = makeRoom(rank * (to - from))
        readFactor(context, right, rank, from, to, block.subarray(0, rank * (to - from)), true)
      }
      // Last in the map is used last.
      held.delete(key)
      held.set(key, block)
      return block
    },
  }
}

/** Reads [from, to) of a factor into `into`, which has the rank first ([rank, to − from]) or last, whatever is stored. */
export function readFactor(
  context: ReadContext,
  { source, rankFirst }: Factor,
  rank: number,
  from: number,
  to: number,
  into: Float32Array,
  intoRankFirst: boolean,
): void {
  const count = to - from
  if (rankFirst) {
    const length = elementCount(source.shape) / rank
    for (let k = 0; k < rank; k++) {
      if (intoRankFirst) readFloats(context, source, k * length + from, into.subarray(k * count, (k + 1) * count))
      else eachPiece(context, source, k * length + from, count, (value, n) => (into[n * rank + k] = value))
    }
  } else if (intoRankFirst) {
    eachPiece(
      context,
      source,
      from * rank,
      count * rank,
      (value, i) => (into[(i % rank) * count + Math.floor(i / rank)] = value),
    )
  } else readFloats(context, source, from * rank, into)
}

function eachPiece(
  context: ReadContext,
  source: TensorSource,
  start: number,
  count: number,
  use: (value: number, index: number) => void,
): void {
  for (let done = 0; done < count; done += pieceElements) {
    withFloats(context, Math.min(pieceElements, count - done), (values) => {
      readFloats(context, source, start + done, values)
      for (let i = 0; i < values.length; i++) use(values[i]!, done + i)
    })
  }
}
