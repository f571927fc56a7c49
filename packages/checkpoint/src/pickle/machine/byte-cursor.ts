import { hasCode } from '@mk/errors'
import type { OpenFiles, SourceError } from '@mk/source'
import { CheckpointError } from '../../errors.ts'

/** A file that is open for reading. */
export interface OpenedFile {
  /** Its path, for errors. */
  readonly file: string
  readonly files: OpenFiles
  readonly fileBytes: number
}

/** Reads forward through a part of a file. Positions are bytes of the file. */
export interface ByteCursor {
  readonly file: string
  readonly position: number
  readByte(): number
  /** Reads the next bytes, which are valid until the next call. @throws `pickle-truncated` */
  readBytes(byteCount: number): Uint8Array
}

const windowBytes = 1 << 16

/** Creates a cursor over bytes [byteStart, byteEnd) of a file, which it reads in windows. */
export function createByteCursor(opened: OpenedFile, byteStart: number, byteEnd: number): ByteCursor {
  const { file } = opened
  let window = new Uint8Array(0)
  let windowStart = byteStart
  let position = byteStart

  function fill(byteCount: number): void {
    if (position + byteCount > byteEnd) throw new CheckpointError({ code: 'pickle-truncated', file, byte: byteEnd })
    const wanted = Math.min(Math.max(byteCount, windowBytes), byteEnd - position)
    window = new Uint8Array(wanted)
    windowStart = position
    readFully(opened, window, position)
  }

  return {
    file,
    get position() {
      return position
    },
    readByte() {
      if (position >= windowStart + window.length) fill(1)
      return window[position++ - windowStart]!
    },
    readBytes(byteCount) {
      if (position + byteCount > windowStart + window.length) fill(byteCount)
      const start = position - windowStart
      position += byteCount
      return window.subarray(start, start + byteCount)
    },
  }
}

/** Fills `into` with bytes of a file. @throws `pickle-truncated` if the file ends before. */
export function readFully({ file, files }: OpenedFile, into: Uint8Array, byteStart: number): void {
  try {
    files.read(file, byteStart, into)
  } catch (cause) {
    // The system's own reason, for whoever names the model.
    if (hasCode(cause, 'unreadable-file')) throw (cause as Error).cause
    if (!hasCode(cause, 'file-ended')) throw cause
    const { byte } = (cause as SourceError).issue as { readonly byte: number }
    throw new CheckpointError({ code: 'pickle-truncated', file, byte }, { cause })
  }
}
