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
    const one = { file, descriptor: openSync(file, readOnly), lastRead: 0 }
    opened.set(file, one)
    return one
  }

  const openedOf = (file: string): OpenFile => {
    const one = opened.get(file) ?? open(file)
    one.lastRead = ++reads
    return one
  }

  const readRanges: NonNullable<OpenFiles['readRanges']> = (file, byteStart, elementBytes, ranges, into) => {
    try {
      const one = openedOf(file)
      let from = 0
      for (let index = 0; index < ranges.length; index++) {
        const { start, end } = ranges[index]!
        const to = from + (end - start) * elementBytes
        fill(one, byteStart + start * elementBytes, into, from, to)
        from = to
      }
    } catch (cause) {
      if (cause instanceof SourceError) throw cause
      throw new SourceError({ code: 'unreadable-file', file, reason: systemReason(cause) }, { cause })
    }
  }

  return {
    read: (file, byteStart, into) => readRanges(file, byteStart, 1, [{ start: 0, end: into.length }], into),
    readRanges,
    close() {
      for (const { descriptor } of opened.values()) closeSync(descriptor)
      opened.clear()
    },
  }
}

interface OpenFile {
  readonly file: string
  readonly descriptor: number
  /** The number of its last read among all reads. */
  lastRead: number
}

/** Fills bytes [from, to) of `into`. */
function fill({ file, descriptor }: OpenFile, byteStart: number, into: Uint8Array, from: number, to: number): void {
  const shift = byteStart - from
  while (from < to) {
    const bytesRead = readSync(descriptor, into, from, Math.min(to - from, maxReadBytes), shift + from)
    if (bytesRead === 0) throw new SourceError({ code: 'file-ended', file, byte: shift + from, byteEnd: shift + to })
    from += bytesRead
  }
}
