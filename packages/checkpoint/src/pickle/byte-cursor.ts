import { readSync } from 'node:fs'
import { CheckpointError } from '../errors.ts'

/** Reads forward through a part of a file. Positions are bytes of the file. */
export interface ByteCursor {
  readonly file: string
  readonly position: number
  readByte(): number
  /** The next bytes, valid until the next call. @throws `pickle-truncated` */
  readBytes(byteCount: number): Uint8Array
}

const windowBytes = 1 << 16

export function createByteCursor(descriptor: number, file: string, byteStart: number, byteEnd: number): ByteCursor {
  let window = new Uint8Array(0)
  let windowStart = byteStart
  let position = byteStart

  function fill(byteCount: number): void {
    if (position + byteCount > byteEnd) throw new CheckpointError({ code: 'pickle-truncated', file, byte: byteEnd })
    const wanted = Math.min(Math.max(byteCount, windowBytes), byteEnd - position)
    window = new Uint8Array(wanted)
    windowStart = position
    readFully(descriptor, file, window, position)
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

/** @throws `pickle-truncated` if the file ends before `into` is full. */
export function readFully(descriptor: number, file: string, into: Uint8Array, byteStart: number): void {
  let done = 0
  while (done < into.length) {
    const got = readSync(descriptor, into, done, into.length - done, byteStart + done)
    if (got === 0) throw new CheckpointError({ code: 'pickle-truncated', file, byte: byteStart + done })
    done += got
  }
}
