import { isSystemError, systemReason } from '@mk/errors'
import { SourceError } from '../read/errors.ts'
import type { OpenFiles } from '../read/open-files.ts'
import { byteCountOf, type FileMap, type MappedFile } from './mapped-file.ts'
import { requestRange } from './remote-range.ts'

/** Reads blobs at once, which only workers may do. */
declare const FileReaderSync: new () => { readAsArrayBuffer(blob: Blob): ArrayBuffer }

/** How much is read at once, and kept, of files whose every read is costly. */
export interface WindowLimits {
  /** What is read at once of a file that is read in order. */
  readonly mostBytes: number
  /** What is read at a place that nothing was read before of; twice as much each time that reading goes on there. */
  readonly firstBytes: number
  /** The same where a server has the file; as of others if absent. */
  readonly firstOfServers?: number
  /** Files that keep one. */
  readonly files: number
}

/**
 * A slice of a blob costs half a millisecond, a megabyte of it three more, and a request to a server more than that; from 4 MB on, larger
 * ones are no faster.
 */
export const defaultWindows: WindowLimits = {
  mostBytes: 2 ** 22,
  firstBytes: 2 ** 16,
  firstOfServers: 2 ** 20,
  files: 16,
}

interface Window {
  readonly byteStart: number
  readonly bytes: Uint8Array
}

/** Reads files of a map by position and at once, each through a window that moves on ahead of the reading. */
export function createWindows(files: FileMap, limits: WindowLimits): OpenFiles {
  const windows = new Map<string, Window>()

  const move = (path: string, file: MappedFile, byteStart: number, wanted: number): Window => {
    const before = windows.get(path)
    windows.delete(path)
    const isNext = before !== undefined && before.byteStart + before.bytes.length === byteStart
    const { firstBytes, firstOfServers = firstBytes } = limits
    const first = file instanceof Blob ? firstBytes : firstOfServers
    const ahead = isNext ? Math.min(before.bytes.length * 2, limits.mostBytes) : first
    const byteEnd = Math.min(byteStart + Math.max(wanted, ahead), byteCountOf(file))
    const window = { byteStart, bytes: readAtOnce(path, file, byteStart, byteEnd) }
    if (windows.size >= limits.files) windows.delete(windows.keys().next().value!)
    windows.set(path, window)
    return window
  }

  return {
    read(path, byteStart, into) {
      const file = files.get(path)
      if (file === undefined)
        throw new SourceError({ code: 'unreadable-file', file: path, reason: 'there is no such file or folder' })
      const byteEnd = byteStart + into.length
      if (byteEnd > byteCountOf(file))
        throw new SourceError({ code: 'file-ended', file: path, byte: byteCountOf(file), byteEnd })
      if (file instanceof Uint8Array) return into.set(file.subarray(byteStart, byteEnd))
      for (let done = 0; done < into.length;) {
        const at = byteStart + done
        let window = windows.get(path)
        if (window === undefined || at < window.byteStart || at >= window.byteStart + window.bytes.length)
          window = move(path, file, at, Math.min(into.length - done, limits.mostBytes))
        const from = at - window.byteStart
        const part = window.bytes.subarray(from, from + into.length - done)
        into.set(part, done)
        done += part.length
      }
    },
    close: () => windows.clear(),
  }
}

function readAtOnce(path: string, file: MappedFile, byteStart: number, byteEnd: number): Uint8Array {
  try {
    if (file instanceof Uint8Array) return file.subarray(byteStart, byteEnd)
    if (!(file instanceof Blob)) return requestRange(path, file, byteStart, byteEnd)
    return new Uint8Array(new FileReaderSync().readAsArrayBuffer(file.slice(byteStart, byteEnd)))
  } catch (cause) {
    const reason = isSystemError(cause) ? systemReason(cause) : 'it was moved, deleted or changed since it was chosen'
    throw new SourceError({ code: 'unreadable-file', file: path, reason }, { cause })
  }
}
