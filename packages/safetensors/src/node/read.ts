import { SafetensorsError } from '../errors.ts'
import { parseHeader, readHeaderLength, type SafetensorsHeader, type TensorEntry } from '../header.ts'
import { readFully, withFile } from './open-file.ts'

/** The header of a file, and the file's size. */
export interface SafetensorsFileHeader extends SafetensorsHeader {
  readonly fileBytes: number
}

/**
 * Reads and checks the header of a file; of its tensors nothing is read.
 * @throws SafetensorsError with one code per broken rule, or what the operating system says (ENOENT, …).
 */
export const readSafetensorsHeader = (path: string): Promise<SafetensorsFileHeader> =>
  withFile(path, async (handle) => {
    const { size: fileBytes } = await handle.stat()
    const first = new Uint8Array(Math.min(8, fileBytes))
    await readFully(handle, first, 0, path)
    const bytes = new Uint8Array(readHeaderLength(first, fileBytes, path))
    await readFully(handle, bytes, 0, path)
    return { ...parseHeader(bytes, fileBytes, path), fileBytes }
  })

/**
 * Reads the stored bytes of one tensor.
 * @param tensor its name, or its entry where the header was read before.
 * @throws SafetensorsError `unknown-tensor`, `file-shrank`, and what `readSafetensorsHeader` throws.
 */
export async function readTensor(path: string, tensor: string | TensorEntry): Promise<Uint8Array> {
  const entry =
    typeof tensor === 'string'
      ? (await readSafetensorsHeader(path)).tensors.find(({ name }) => name === tensor)
      : tensor
  if (entry === undefined) throw new SafetensorsError({ code: 'unknown-tensor', tensor: tensor as string }, path)
  const bytes = new Uint8Array(entry.byteEnd - entry.byteStart)
  await withFile(path, (handle) => readFully(handle, bytes, entry.byteStart, path))
  return bytes
}
