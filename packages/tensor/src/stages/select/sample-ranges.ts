import type { ElementRange } from '../chunks.ts'
import { fmix32 } from '../../numbers/random.ts'

const PIECE_ELEMENTS = 2048
const MOST_PIECES = 128

/** Chooses short pieces, spread evenly over the chunks of a tensor, but not at the same column of each row: at most 1/16 of it. */
export function sampleRanges(chunks: readonly ElementRange[]): ElementRange[] {
  const elementCount = chunks.at(-1)!.end
  const pieces = Math.min(MOST_PIECES, Math.floor(elementCount / 16 / PIECE_ELEMENTS))
  const stratum = elementCount / pieces
  let chunk = 0
  return Array.from({ length: pieces }, (_, i) => {
    const start = Math.floor(i * stratum) + (fmix32(i + 1) % Math.floor(stratum - PIECE_ELEMENTS))
    while (chunks[chunk]!.end <= start) chunk++
    return { start, end: Math.min(start + PIECE_ELEMENTS, chunks[chunk]!.end) }
  })
}
