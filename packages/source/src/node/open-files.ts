import { closeSync, constants, openSync, read as readInBackground, readSync } from 'node:fs'
import { systemReason } from '@mk/errors'
import { SourceError } from '../read/errors.ts'
import type { OpenFiles } from '../read/open-files.ts'

/** Without waiting, should a pipe have taken the place of the file since it was opened. */
const readOnly = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const maxReadBytes = 1 << 30

/** Of the blocks that the system counts. */
const blockBytes = 512

/** What tells a disk from memory, and how much is brought from it ahead (docs/decisions/reading-ahead.md). */
const ahead = {
  /** Reads that are shorter are no part of a stream. */
  fewestBytes: 1 << 18,
  mostBytes: 1 << 22,
  /** A slower read may have waited for a disk. */
  memoryBytesPerMs: 1e6,
  /** Reads after a slow one that also bring what follows; most of them then find it in memory and are quick. */
  readCount: 64,
}

/**
 * Creates a table of files of this machine, opened on first use; at first empty.
 * @param limit how many files stay open; the one unused for longest is closed first
 */
export function createOpenFiles(limit = 64): OpenFiles {
  const descriptors = new Map<string, number>()
  /** By file, how many of the next reads bring what follows. */
  const streams = new Map<string, number>()
  let unused = new Uint8Array(0)
  let blocksRead = process.resourceUsage().fsRead

  /** Tells a disk from a busy machine: whether the process has read as much as half of that from one since this was asked before. */
  function hasReadFromDisk(byteCount: number): boolean {
    const before = blocksRead
    blocksRead = process.resourceUsage().fsRead
    return (blocksRead - before) * blockBytes >= byteCount / 2
  }

  /** Has the system bring what follows a read into memory, while this thread works on what it has read. */
  function readAhead(file: string, descriptor: number, byteStart: number, byteCount: number): void {
    const left = streams.get(file) ?? 0
    if (left === 0) return
    streams.set(file, left - 1)
    const wanted = Math.min(byteCount, ahead.mostBytes)
    if (unused.length < wanted) unused = new Uint8Array(wanted)
    // What fails here fails again when it is read.
    readInBackground(descriptor, unused, 0, wanted, byteStart, () => {})
  }

  const descriptorOf = (file: string): number => {
    const known = descriptors.get(file)
    if (known !== undefined) {
      descriptors.delete(file)
      descriptors.set(file, known)
      return known
    }
    if (descriptors.size >= limit) {
      const [oldest, descriptor] = descriptors.entries().next().value!
      descriptors.delete(oldest)
      closeSync(descriptor)
    }
    const descriptor = attempt(file, () => openSync(file, readOnly))
    descriptors.set(file, descriptor)
    return descriptor
  }

  return {
    read(file, byteStart, into) {
      const descriptor = descriptorOf(file)
      const isStream = into.length >= ahead.fewestBytes
      const startedAt = isStream ? performance.now() : 0
      for (let done = 0; done < into.length;) {
        const wanted = Math.min(into.length - done, maxReadBytes)
        const bytesRead = attempt(file, () => readSync(descriptor, into, done, wanted, byteStart + done))
        if (bytesRead === 0)
          throw new SourceError({
            code: 'file-ended',
            file,
            byte: byteStart + done,
            byteEnd: byteStart + into.length,
          })
        done += bytesRead
      }
      if (!isStream) return
      const isSlow = into.length < (performance.now() - startedAt) * ahead.memoryBytesPerMs
      if (isSlow && hasReadFromDisk(into.length)) streams.set(file, ahead.readCount)
      readAhead(file, descriptor, byteStart + into.length, into.length)
    },
    close() {
      for (const descriptor of descriptors.values()) closeSync(descriptor)
      descriptors.clear()
      streams.clear()
    },
  }
}

function attempt<T>(file: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new SourceError({ code: 'unreadable-file', file, reason: systemReason(cause) }, { cause })
  }
}
