import type { ElementRange } from '../chunks.ts'
import { fmix32 } from '../../numbers/random.ts'

const PIECE_ELEMENTS = 2048
const MOST_PIECES = 128

/**
 * Chooses short pieces, spread evenly over the chunks of a tensor, but not at the same column of each row: at most 1/16 of it.
 * @param unit what starts of pieces are multiples of
 */
export function sampleRanges(chunks: readonly ElementRange[], unit = 1): ElementRange[] {
  const elementCount = chunks.at(-1)!.end
  const pieces = Math.min(MOST_PIECES, Math.floor(elementCount / 16 / PIECE_ELEMENTS))
  const stratum = elementCount / pieces
  const spare = unit - 1
  let chunk = 0
  return Array.from({ length: pieces }, (_, i) => {
    const at = Math.floor(i * stratum) + spare + (fmix32(i + 1) % Math.floor(stratum - PIECE_ELEMENTS - spare))
    const start = at - (at % unit)
    while (chunks[chunk]!.end <= start) chunk++
    return { start, end: Math.min(start + PIECE_ELEMENTS, chunks[chunk]!.end) }
  })
}

const LONGEST_UNIT = 256
const SHORTEST_UNIT = 32

/**
 * Tells of how many elements pieces of rows can consist that are each of one row, whatever the chunks. Undefined where those are too short to
 * be worth it.
 */
export function unitOfRows(columns: number): number | undefined {
  let unit = LONGEST_UNIT
  while (columns % unit !== 0) unit /= 2
  return unit < SHORTEST_UNIT ? undefined : unit
}
