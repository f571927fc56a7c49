import type { RangeFile } from '@mk/safetensors'
import { GgufError } from './errors.ts'
import { type GgufHeader, parseGgufHeader } from './parse-header.ts'

/** Enough for the header of a file without a vocabulary; what comes at once is as fast as less. */
const firstBytes = 2 ** 20

/** The header of a file, and the file's size. */
export interface GgufFileHeader extends GgufHeader {
  readonly fileBytes: number
}

/**
 * Reads and checks the header of an open file; of its tensors nothing is read but what lies in the same pages.
 * @param path for errors
 * @throws GgufError with one code per broken rule; what `file` throws
 */
export async function readGgufHeaderOf(file: RangeFile, path: string): Promise<GgufFileHeader> {
  const { byteCount: fileBytes } = file
  let bytes: Uint8Array = new Uint8Array(0)
  for (let wanted = firstBytes; ; wanted *= 2) {
    bytes = await readMore(file, bytes, Math.min(wanted, fileBytes), path)
    const header = parseGgufHeader(bytes, fileBytes, path)
    if (header !== undefined) return { ...header, fileBytes }
  }
}

/** Reads on behind what is known. */
async function readMore(file: RangeFile, known: Uint8Array, byteCount: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(byteCount)
  bytes.set(known)
  for (let done = known.length; done < byteCount;) {
    const read = await file.read(done, bytes.subarray(done))
    if (read === 0) throw new GgufError({ code: 'gguf-shrank', byte: done }, path)
    done += read
  }
  return bytes
}
