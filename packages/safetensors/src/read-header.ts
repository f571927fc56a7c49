import { SafetensorsError } from './errors.ts'
import { parseHeader, readHeaderLength, type SafetensorsHeader } from './header.ts'

/** A file that is open for reading, wherever it is. */
export interface RangeFile {
  readonly byteCount: number
  /** Fills `into`, or a part of it, with the bytes from `byteStart`. @returns how many they are; 0 at the end of the file */
  read(byteStart: number, into: Uint8Array): Promise<number>
}

/** The header of a file, and the file's size. */
export interface SafetensorsFileHeader extends SafetensorsHeader {
  readonly fileBytes: number
}

/**
 * Reads and checks the header of an open file; of its tensors nothing is read.
 * @param path for errors
 * @throws SafetensorsError with one code per broken rule; what `file` throws
 */
export async function readHeader(file: RangeFile, path: string): Promise<SafetensorsFileHeader> {
  const first = new Uint8Array(Math.min(8, file.byteCount))
  await readFully(file, first, 0, path)
  const bytes = new Uint8Array(readHeaderLength(first, file.byteCount, path))
  await readFully(file, bytes, 0, path)
  return { ...parseHeader(bytes, file.byteCount, path), fileBytes: file.byteCount }
}

/** Fills `into` with the bytes from `byteStart`. @throws SafetensorsError `file-shrank` where there are none */
export async function readFully(file: RangeFile, into: Uint8Array, byteStart: number, path: string): Promise<void> {
  for (let done = 0; done < into.length;) {
    const byteCount = await file.read(byteStart + done, into.subarray(done))
    if (byteCount === 0) throw new SafetensorsError({ code: 'file-shrank', byte: byteStart + done }, path)
    done += byteCount
  }
}
