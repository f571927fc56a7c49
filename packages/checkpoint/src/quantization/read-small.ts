import { dtypeBytes, elementCount } from '@mk/safetensors'
import { createReaderOver, type FileStore } from '@mk/source'
import type { ReadSmall } from './parts.ts'

/** Makes what reads all bytes of a tensor; it throws SourceError. */
export const smallReader =
  (store: FileStore): ReadSmall =>
  async (source) => {
    const count = elementCount(source.shape)
    const bytes = new Uint8Array(count * dtypeBytes(source.dtype))
    const reader = createReaderOver(store.openFiles())
    try {
      reader.read(source, 0, count, bytes)
    } finally {
      reader.close()
    }
    return bytes
  }
