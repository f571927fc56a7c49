import { closeSync, constants, openSync, readSync } from 'node:fs'
import { systemReason } from '@mk/errors'
import { SourceError } from '../read/errors.ts'
import type { OpenFiles } from '../read/open-files.ts'

/** Without waiting, should a pipe have taken the place of the file since it was opened. */
const readOnly = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const maxReadBytes = 1 << 30

/**
 * Creates a table of files of this machine, opened on first use; at first empty.
 * @param limit how many files stay open; the one unused for longest is closed first
 */
export function createOpenFiles(limit = 64): OpenFiles {
  const opened = new Map<string, OpenFile>()
  let reads = 0

  const open = (file: string): OpenFile => {
    if (opened.size >= limit) {
      const [oldest, { descriptor }] = [...opened].reduce((a, b) => (a[1].lastRead < b[1].lastRead ? a : b))
      opened.delete(oldest)
      closeSync(descriptor)
    }
    const one = { descriptor: openSync(file, readOnly), lastRead: 0 }
    opened.set(file, one)
    return one
  }

  return {
    read(file, byteStart, into) {
      const { length } = into
      let done = 0
      try {
        const one = opened.get(file) ?? open(file)
        one.lastRead = ++reads
        while (done < length) {
          const bytesRead = readSync(
            one.descriptor,
            into,
            done,
            Math.min(length - done, maxReadBytes),
            byteStart + done,
          )
          if (bytesRead === 0) break
          done += bytesRead
        }
      } catch (cause) {
        throw new SourceError({ code: 'unreadable-file', file, reason: systemReason(cause) }, { cause })
      }
      if (done < length)
        throw new SourceError({ code: 'file-ended', file, byte: byteStart + done, byteEnd: byteStart + length })
    },
    close() {
      for (const { descriptor } of opened.values()) closeSync(descriptor)
      opened.clear()
    },
  }
}

interface OpenFile {
  readonly descriptor: number
  /** The number of its last read among all reads. */
  lastRead: number
}
