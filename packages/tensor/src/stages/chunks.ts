import { TensorError } from '../errors.ts'

/** Consecutive elements of a tensor, by flat index; `end` is exclusive. */
export interface ElementRange {
  readonly start: number
  readonly end: number
}

/** How many elements a kernel call covers. Part of what a merge means: float64 sums are combined chunk by chunk (docs/decisions/chunks-are-part-of-the-result.md). */
export const CHUNK_ELEMENTS = 2 ** 17

/**
 * Cuts a tensor into the ranges that kernel calls cover, a function of its shape only. A chunk is as many whole rows as
 * fit CHUNK_ELEMENTS; a longer row is a chunk of its own with `wholeRows`, else several that don't reach into the next row.
 * @param columns elements in a row; a divisor of `elementCount`
 */
export function planChunks(elementCount: number, columns: number, wholeRows = false): ElementRange[] {
  if (elementCount === 0) return []
  if (!Number.isInteger(columns) || columns < 1 || elementCount % columns !== 0)
    throw new TensorError({ code: 'matrix-columns', columns, elementCount })
  const ranges: ElementRange[] = []
  const cut = (from: number, to: number, step: number) => {
    for (let start = from; start < to; start += step) ranges.push({ start, end: Math.min(start + step, to) })
  }
  if (columns <= CHUNK_ELEMENTS) cut(0, elementCount, Math.floor(CHUNK_ELEMENTS / columns) * columns)
  else if (wholeRows) cut(0, elementCount, columns)
  else for (let row = 0; row < elementCount; row += columns) cut(row, row + columns, CHUNK_ELEMENTS)
  return ranges
}

/**
 * Joins adjacent ranges, for runtimes with a `preferredElements`, where results don't depend on how a tensor is cut: stages
 * that only store, or whose results are counts.
 * @param most elements of a joined range; longer ones stay as they are
 */
export function joinRanges(ranges: readonly ElementRange[], most: number): ElementRange[] {
  const joined: ElementRange[] = []
  for (const range of ranges) {
    const last = joined.at(-1)
    if (last?.end === range.start && range.end - last.start <= most)
      joined[joined.length - 1] = { start: last.start, end: range.end }
    else joined.push(range)
  }
  return joined
}

/** Counts the elements of ranges. */
export const rangeElements = (ranges: readonly ElementRange[]): number =>
  ranges.reduce((sum, { start, end }) => sum + end - start, 0)
