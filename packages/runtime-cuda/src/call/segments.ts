import type { KernelCall } from '@mk/tensor/runtime'

/** Some consecutive elements of a call that are a matrix: whole rows, or part of one row. */
export interface Segment {
  /** Position of the first element in the call. */
  readonly start: number
  readonly elementCount: number
  readonly rows: number
  readonly columns: number
  /** Where it lies in the tensor. */
  readonly firstRow: number
  readonly firstColumn: number
}

export interface Cutting {
  /** Whether rows and columns mean anything to the program; if not, a segment is a single row. */
  readonly hasRows: boolean
  readonly wholeRows: boolean
  /** The most elements of a segment, unless it is one row that must be whole. */
  readonly most: number
}

/** Cuts a call where its rows begin and end, and so that what it takes in memory is bounded. */
export function cutCall(
  { elementCount, offset, columns }: KernelCall,
  { hasRows, wholeRows, most }: Cutting,
): Segment[] {
  const width = hasRows ? columns : Infinity
  const segments: Segment[] = []
  let start = 0
  while (start < elementCount) {
    const left = elementCount - start
    const firstColumn = hasRows ? (offset + start) % columns : 0
    const rowsInside = firstColumn === 0 ? Math.min(Math.floor(left / width), Math.floor(most / width)) : 0
    const rows = wholeRows ? Math.max(1, rowsInside) : rowsInside
    const count = rows > 0 ? rows * width : Math.min(left, width - firstColumn, most)
    segments.push({
      start,
      elementCount: count,
      rows: Math.max(1, rows),
      columns: rows > 0 ? width : count,
      firstRow: hasRows ? Math.floor((offset + start) / columns) : 0,
      firstColumn,
    })
    start += count
  }
  return segments
}
