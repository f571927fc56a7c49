import type { KernelCall } from '@mk/tensor/runtime'
import type { Scratch } from './arena.ts'

/** What a call covers, seen as rows. */
export interface Extent {
  readonly firstRow: number
  readonly rows: number
  readonly firstColumn: number
  /** Columns of the matrix that are read or written, from `columnStart`. */
  readonly columnStart: number
  readonly columnCount: number
}

/** A call while its frame is being written. */
export interface Placing {
  readonly call: KernelCall
  readonly extent: Extent
  /** The memory that the kernel sees. */
  readonly buffer: ArrayBuffer
  /** All of it. */
  readonly words: Int32Array
  readonly doubles: Float64Array
  readonly scratch: Scratch
  /** Where the frame is among the words. */
  readonly frame: number
}

/** Sees a call as rows. */
export function extentOf({ elementCount, offset, columns }: KernelCall): Extent {
  if (elementCount === 0) return { firstRow: 0, rows: 0, firstColumn: 0, columnStart: 0, columnCount: 0 }
  const firstRow = Math.floor(offset / columns)
  const firstColumn = offset % columns
  const rows = Math.floor((offset + elementCount - 1) / columns) - firstRow + 1
  return rows === 1
    ? { firstRow, rows, firstColumn, columnStart: firstColumn, columnCount: elementCount }
    : { firstRow, rows, firstColumn, columnStart: 0, columnCount: columns }
}

/** Gives the address of an input, after copying it if it is elsewhere. */
export function placeInput({ buffer, scratch }: Placing, bytes: Uint8Array, byteLength: number): number {
  if (bytes.buffer === buffer) return bytes.byteOffset
  const address = scratch.take(byteLength)
  new Uint8Array(buffer, address, byteLength).set(bytes.subarray(0, byteLength))
  return address
}

/** Copies the part of a vector that a call covers. @returns its address */
export function placeVector({ extent, buffer, scratch }: Placing, values: Float32Array, per: 'row' | 'column'): number {
  const [start, count] = per === 'row' ? [extent.firstRow, extent.rows] : [extent.columnStart, extent.columnCount]
  const address = scratch.take(4 * count)
  new Float32Array(buffer, address, count).set(values.subarray(start, start + count))
  return address
}
