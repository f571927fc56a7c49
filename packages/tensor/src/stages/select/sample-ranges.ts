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

/** Elements of pieces by rows all in all, about. */
const ROW_SAMPLE_ELEMENTS = MOST_PIECES * PIECE_ELEMENTS
const MOST_ROWS = 1024

/**
 * Chooses rows, and a piece of each, evenly over the order of a number that each row has: where values follow from it, those of a row are
 * alike, and rows that are spread over the tensor only would have the numbers that they happen to have.
 * @param unit what starts of pieces are multiples of
 * @returns ascending; at most 1/16 of the rows, or one
 */
export function sampleByRows(numbers: Float32Array, columns: number, unit: number): ElementRange[] {
  const rows = numbers.length
  const length = Math.min(PIECE_ELEMENTS, columns)
  const wanted = Math.min(MOST_ROWS, Math.round(ROW_SAMPLE_ELEMENTS / length))
  const count = Math.max(1, Math.min(wanted, Math.floor(rows / 16)))
  const places = Math.floor((columns - length) / unit) + 1
  // As numbers they sort many times as fast as by a comparison: the bits of what a row has, then which row it is.
  const bits = new Uint32Array(numbers.buffer, numbers.byteOffset, rows)
  const order = Float64Array.from(bits, (pattern, row) => pattern * ROW_LIMIT + row).sort()
  const chosen = Float64Array.from({ length: count }, (_, i) => {
    const [from, to] = [i, i + 1].map((part) => Math.floor((part * rows) / count)) as [number, number]
    return order[from + (fmix32(i + 1) % (to - from))]! % ROW_LIMIT
  }).sort()
  return Array.from(chosen, (row) => {
    const start = row * columns + (fmix32(row + 1) % places) * unit
    return { start, end: start + length }
  })
}

/** More rows than bits leave room for are none to go by. */
export const ROW_LIMIT = 2 ** 21

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
