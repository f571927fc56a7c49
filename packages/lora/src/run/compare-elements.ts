import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { SourceReader } from '@mk/source/node'
import { decode } from '@mk/tensor'
import type { ChangedTensor } from '../plan/extraction.ts'

const BLOCK_ELEMENTS = 2 ** 18

/** Tells whether a tensor has another value anywhere than that of the base, as far as float32 tells. */
export function isChanged(reader: SourceReader, { fine, base }: ChangedTensor): boolean {
  if (base === undefined || elementCount(fine.shape) !== elementCount(base.shape)) return true
  const count = elementCount(fine.shape)
  for (let start = 0; start < count; start += BLOCK_ELEMENTS) {
    const length = Math.min(BLOCK_ELEMENTS, count - start)
    const [own, other] = [fine, base].map((source) => {
      const bytes = new Uint8Array(length * dtypeBytes(source.dtype))
      reader.read(source, start, length, bytes)
      const values = new Float32Array(length)
      decode(source.dtype, bytes, 0, values)
      return values
    }) as [Float32Array, Float32Array]
    for (let i = 0; i < length; i++) if (own[i] !== other[i]) return true
  }
  return false
}
