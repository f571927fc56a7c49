import type { FileStore } from '@mk/source'
import { nodeFiles } from '@mk/source/node'

/** The files of this machine, each of which has these bytes. */
export function holding(bytes: Uint8Array): FileStore {
  const copy = (byteStart: number, into: Uint8Array): number => {
    const found = bytes.subarray(byteStart, byteStart + into.length)
    into.set(found)
    return found.length
  }
  return {
    ...nodeFiles,
    withFile: (_, use) => use({ byteCount: bytes.length, read: async (byteStart, into) => copy(byteStart, into) }),
    openFiles: () => ({
      read(_, byteStart, into) {
        if (copy(byteStart, into) < into.length) throw new Error('read past the end')
      },
      close() {},
    }),
  }
}
