import { dtypeBytes } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'
import type { SourceReader } from '@mk/source/node'
import { decode } from '@mk/tensor'
import type { RowStore } from '../rows/row-store.ts'

/** Gives rows of a stored matrix, widened to float32. */
export function rowsOfSource(reader: SourceReader, source: TensorSource): RowStore {
  const [rows, width] = source.shape as readonly [number, number]
  let bytes = new Uint8Array(0)
  return {
    rows,
    width,
    read(first, count, into) {
      const byteLength = count * width * dtypeBytes(source.dtype)
      if (bytes.length < byteLength) bytes = new Uint8Array(byteLength)
      reader.read(source, first * width, count * width, bytes.subarray(0, byteLength))
      decode(source.dtype, bytes, 0, into.subarray(0, count * width))
    },
  }
}
