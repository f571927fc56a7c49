import { closeSync, openSync, writeSync } from 'node:fs'
import { MergeError } from '../errors.ts'

export interface OutputWriter {
  /** Writes all of `bytes` at a position of an existing file. @throws MergeError 'write-failed', naming the file and the cause. */
  write(file: string, position: number, bytes: Uint8Array): void
  close(): void
}

export function createOutputWriter(): OutputWriter {
  const descriptors = new Map<string, number>()
  return {
    write(file, position, bytes) {
      try {
        let descriptor = descriptors.get(file)
        if (descriptor === undefined) descriptors.set(file, (descriptor = openSync(file, 'r+')))
        for (let written = 0; written < bytes.length;) {
          written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
        }
      } catch (cause) {
        throw new MergeError({ code: 'write-failed', file, reason: reasonOf(cause) }, { cause })
      }
    },
    close() {
      for (const descriptor of descriptors.values()) closeSync(descriptor)
      descriptors.clear()
    },
  }
}

/** What went wrong with a file, in words where the system's code has them. */
export function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  const words: Record<string, string> = {
    ENOSPC: 'the disk is full',
    EDQUOT: 'the disk quota is used up',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a part of the path is a file, not a folder',
    EFBIG: 'the file system takes no file of that size',
    EIO: 'the device reported an input/output error',
  }
  return (code !== undefined && words[code]) || message
}
