import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { isSystemError } from '@mk/errors'

/** Computes the SHA-256 of files, each from its start as far as it is told. */
export interface FileHasher {
  /**
   * Goes on to hash a file up to a byte.
   * @throws Error as of the system, or saying that the file ends; the same call then goes on where that one has ended
   */
  advance(file: string, end: number): void
  /** What was hashed of a file, as 64 hexadecimal digits; the file is closed and forgotten. */
  digest(file: string): string
  close(): void
}

interface HashedFile {
  readonly descriptor: number
  readonly hash: Hash
  position: number
}

/** Opens what hashes files in the thread that asks. @param sliceBytes what is read at once */
export function createFileHasher(sliceBytes: number): FileHasher {
  const files = new Map<string, HashedFile>()
  const buffer = new Uint8Array(sliceBytes)

  const openFile = (file: string): HashedFile => {
    const opened = { descriptor: openSync(file, 'r'), hash: createHash('sha256'), position: 0 }
    files.set(file, opened)
    return opened
  }
  return {
    advance(file, end) {
      try {
        const state = files.get(file) ?? openFile(file)
        while (state.position < end) {
          const wanted = Math.min(sliceBytes, end - state.position)
          const byteCount = readSync(state.descriptor, buffer, 0, wanted, state.position)
          if (byteCount === 0) throw new Error(`it ends at ${state.position}`)
          state.hash.update(buffer.subarray(0, byteCount))
          state.position += byteCount
        }
      } catch (cause) {
        if (isSystemError(cause) && cause.path === undefined) Object.assign(cause, { path: file })
        throw cause
      }
    },
    digest(file) {
      const { descriptor, hash } = files.get(file) ?? openFile(file)
      files.delete(file)
      closeSync(descriptor)
      return hash.digest('hex')
    },
    close() {
      for (const { descriptor } of files.values()) closeSync(descriptor)
      files.clear()
    },
  }
}
