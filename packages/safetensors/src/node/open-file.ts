import { constants, fstatSync, type Stats } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { namingFile } from '@mk/errors'
import { SafetensorsError } from '../errors.ts'
import { readFully } from '../read-header.ts'
import { rangesOf } from './ranges-of.ts'

/** Opens a file to read it, and nothing else: a pipe would be waited for without end, and a device has no length. */
async function openFile(path: string): Promise<FileHandle> {
  // Without waiting, should it be a pipe; for files it changes nothing. Windows has no such flag.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    const stats = fstatSync(handle.fd)
    // What is a folder the operating system refuses itself, when it is read.
    if (!stats.isFile() && !stats.isDirectory())
      throw new SafetensorsError({ code: 'not-a-file', found: kindOf(stats) }, path)
    return handle
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Reads all of a file.
 * @param limit in bytes
 * @throws SafetensorsError `not-a-file`, `file-too-long`, `file-shrank`, or what the operating system says (ENOENT, …)
 */
export const readBytes = (path: string, limit: number): Promise<Buffer> =>
  withFile(path, async (handle) => {
    const { size: bytes } = fstatSync(handle.fd)
    if (bytes > limit) throw new SafetensorsError({ code: 'file-too-long', bytes, limit }, path)
    const found = await handle.readFile()
    if (found.length < bytes) throw new SafetensorsError({ code: 'file-shrank', byte: found.length }, path)
    return found
  })

/**
 * Reads the beginning of a file, or all of a shorter one.
 * @param most in bytes
 * @throws SafetensorsError `not-a-file`, `file-shrank`, or what the operating system says (ENOENT, …)
 */
export const readStart = (path: string, most: number): Promise<Buffer> =>
  withFile(path, async (handle) => {
    const file = rangesOf(handle)
    const start = Buffer.alloc(Math.min(most, file.byteCount))
    await readFully(file, start, 0, path)
    return start
  })

/**
 * Opens a file, lets `use` read from it, and closes it.
 * @throws SafetensorsError `not-a-file`, or what the operating system says (ENOENT, …), which names the file
 */
export const withFile = <T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> =>
  namingFile(path, async () => {
    const handle = await openFile(path)
    try {
      return await use(handle)
    } finally {
      await handle.close()
    }
  })

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a pipe'
  return stats.isSocket() ? 'a socket' : 'a device'
}
