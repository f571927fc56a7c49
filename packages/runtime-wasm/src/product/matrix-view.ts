import type { StoredMatrix } from '@mk/tensor/runtime'
import type { Arena, Scratch } from '../arena.ts'

/** A rectangle of a matrix, as it is stored. */
export interface Part {
  readonly row: number
  readonly rows: number
  readonly column: number
  readonly columns: number
}

/** Where a part is for generated code. */
interface Placed {
  readonly address: number
  readonly strideBytes: number
}

/** A matrix of a call whose parts get addresses: where they are, or, where the matrix is elsewhere, in a place for one part. */
export interface MatrixView {
  /** With its contents. */
  read(part: Part): Placed
  /** To be written; `finish` then. */
  open(part: Part): Placed
  /** Sees to it that what was written to the last part is in the matrix. */
  finish(part: Part): void
}

/**
 * Views a matrix.
 * @param most elements of a part
 */
export function viewMatrix(
  { arena, scratch }: { readonly arena: Arena; readonly scratch: Scratch },
  bytes: Uint8Array,
  { stride }: StoredMatrix,
  elementBytes: number,
  most: number,
): MatrixView {
  const startOf = ({ row, column }: Part): number => (row * stride + column) * elementBytes
  if (bytes.buffer === arena.buffer) {
    const place = (part: Part): Placed => ({
      address: bytes.byteOffset + startOf(part),
      strideBytes: stride * elementBytes,
    })
    return { read: place, open: place, finish: () => {} }
  }
  const address = scratch.take(most * elementBytes)
  const memory = new Uint8Array(arena.buffer, address, most * elementBytes)
  const eachRow = (part: Part, move: (place: number, stored: number, byteLength: number) => void): void => {
    const byteLength = part.columns * elementBytes
    for (let row = 0; row < part.rows; row++)
      move(row * byteLength, startOf(part) + row * stride * elementBytes, byteLength)
  }
  const open = ({ columns }: Part): Placed => ({ address, strideBytes: columns * elementBytes })
  return {
    open,
    read(part) {
      eachRow(part, (place, stored, byteLength) => memory.set(bytes.subarray(stored, stored + byteLength), place))
      return open(part)
    },
    finish(part) {
      eachRow(part, (place, stored, byteLength) => bytes.set(memory.subarray(place, place + byteLength), stored))
    },
  }
}
