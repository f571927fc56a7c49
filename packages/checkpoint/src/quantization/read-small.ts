import { dtypeBytes, elementCount } from '@mk/safetensors'
import { createSourceReader } from '@mk/source/node'
import type { ReadSmall } from './parts.ts'

/** Reads all bytes of a tensor of this machine. @throws SourceError */
export const readSmall: ReadSmall = async (source) => {
  const count = elementCount(source.shape)
  const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
  const reader = createSourceReader()
  try {
    reader.read(source, 0, count, bytes)
  } finally {
    reader.close()
  }
  return bytes
}
