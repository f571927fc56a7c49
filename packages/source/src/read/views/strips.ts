import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { StridedSource } from '../../tensor-source.ts'
import type { ReadElements } from '../elements/element-reader.ts'

/** Whole rows of a view, which were read together. */
interface Strip {
  readonly firstRow: number
  readonly endRow: number
  readonly bytes: Uint8Array
}

const stripBytes = 1 << 20
/** Of all strips of a thread. */
const heldBytes = 1 << 24

/**
 * Creates the reader of views whose rows are scattered over the storage, as those of a transposed matrix are: it walks the storage once for
 * many rows, and holds them for the calls that want the next ones. Other views, and rows too long to hold some, are read as they are.
 */
export function createStrips(readDirectly: ReadElements<StridedSource>): {
  readonly read: ReadElements<StridedSource>
} {
  /** By view, that used last at the end. */
  const held = new Map<StridedSource, Strip>()

  function load(source: StridedSource, firstRow: number, endRow: number): Strip {
    const rowElements = source.shape.at(-1)!
    const byteCount = (endRow - firstRow) * rowElements * dtypeBytes(source.dtype)
    let total = byteCount
    let reusable = held.get(source)
    held.delete(source)
    for (const { bytes } of held.values()) total += bytes.buffer.byteLength
    for (const [oldest, strip] of held) {
      if (total <= heldBytes) break
      held.delete(oldest)
      total -= strip.bytes.buffer.byteLength
      reusable ??= strip
    }
    const buffer =
      reusable !== undefined && reusable.bytes.buffer.byteLength >= byteCount
        ? new Uint8Array(reusable.bytes.buffer as ArrayBuffer, 0, byteCount)
        : new Uint8Array(byteCount)
    readDirectly(source, firstRow * rowElements, (endRow - firstRow) * rowElements, buffer)
    return { firstRow, endRow, bytes: buffer }
  }

  return {
    read(source, start, count, into) {
      const rowsPerStrip = stripRows(source)
      if (rowsPerStrip < 2) return readDirectly(source, start, count, into)
      const rowElements = source.shape.at(-1)!
      const rowCount = elementCount(source.shape) / rowElements
      const elementBytes = dtypeBytes(source.dtype)
      for (let done = 0; done < count;) {
        const element = start + done
        const row = Math.floor(element / rowElements)
        let strip = held.get(source)
        if (strip === undefined || row < strip.firstRow || row >= strip.endRow) {
          const firstRow = row - (row % rowsPerStrip)
          strip = load(source, firstRow, Math.min(rowCount, firstRow + rowsPerStrip))
        }
        held.delete(source)
        held.set(source, strip)
        const from = element - strip.firstRow * rowElements
        const taken = Math.min(count - done, strip.endRow * rowElements - element)
        into.set(strip.bytes.subarray(from * elementBytes, (from + taken) * elementBytes), done * elementBytes)
        done += taken
      }
    },
  }
}

/** How many rows a strip has; 0 where it is of no use. */
function stripRows({ dtype, shape, strides }: StridedSource): number {
  if (shape.length < 2 || shape.at(-1)! < 2 || strides.at(-1) === 1) return 0
  return Math.floor(stripBytes / (shape.at(-1)! * dtypeBytes(dtype)))
}
