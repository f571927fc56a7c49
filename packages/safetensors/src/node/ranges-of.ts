import { fstatSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { RangeFile } from '../read-header.ts'

/** Makes a handle of Node's readable as a file of any place is. */
export const rangesOf = (handle: FileHandle): RangeFile => ({
  byteCount: fstatSync(handle.fd).size,
  read: async (byteStart, into) => (await handle.read(into, 0, into.length, byteStart)).bytesRead,
})
