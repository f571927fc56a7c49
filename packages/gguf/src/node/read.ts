import type { FileHandle } from 'node:fs/promises'
import { withFile } from '@mk/safetensors/node'
import { GgufError } from '../errors.ts'
import { type GgufHeader, parseGgufHeader } from '../parse-header.ts'

/** Enough for the header of a file without a vocabulary; what comes at once is as fast as less. */
const firstBytes = 2 ** 20

/** The header of a file, and the file's size. */
export interface GgufFileHeader extends GgufHeader {
  readonly fileBytes: number
}

/**
 * Reads and checks the header of a file; of its tensors nothing is read but what lies in the same pages.
 * @throws GgufError with one code per broken rule; SafetensorsError `not-a-file`; or what the operating system says (ENOENT, …).
 */
export const readGgufHeader = (path: string): Promise<GgufFileHeader> =>
  withFile(path, async (handle) => {
    const { size: fileBytes } = await handle.stat()
    let bytes: Uint8Array = new Uint8Array(0)
    for (let wanted = firstBytes; ; wanted *= 2) {
      bytes = await readMore(handle, bytes, Math.min(wanted, fileBytes), path)
      const header = parseGgufHeader(bytes, fileBytes, path)
      if (header !== undefined) return { ...header, fileBytes }
    }
  })

/** Reads on behind what is known. */
async function readMore(handle: FileHandle, known: Uint8Array, byteCount: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteCount)
  bytes.set(known)
  for (let done = known.length; done < byteCount;) {
    const { bytesRead } = await handle.read(bytes, done, byteCount - done, done)
    if (bytesRead === 0) throw new GgufError({ code: 'gguf-shrank', byte: done }, path)
    done += bytesRead
  }
  return bytes
}
