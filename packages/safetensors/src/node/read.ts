import { SafetensorsError } from '../errors.ts'
import type { TensorEntry } from '../header.ts'
import { readFully, readHeader, type SafetensorsFileHeader } from '../read-header.ts'
import { withFile } from './open-file.ts'
import { rangesOf } from './ranges-of.ts'

/**
 * Reads and checks the header of a file; of its tensors nothing is read.
 * @throws SafetensorsError with one code per broken rule, or what the operating system says (ENOENT, …).
 */
export const readSafetensorsHeader = (path: string): Promise<SafetensorsFileHeader> =>
  withFile(path, async (handle) => readHeader(rangesOf(handle), path))

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
  await withFile(path, async (handle) => readFully(rangesOf(handle), bytes, entry.byteStart, path))
  return bytes
}
