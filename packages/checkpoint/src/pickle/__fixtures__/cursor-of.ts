import { CheckpointError } from '../../errors.ts'
import type { ByteCursor } from '../machine/byte-cursor.ts'

/** Reads bytes that are in memory. */
export function cursorOf(bytes: Uint8Array): ByteCursor {
  let position = 0
  const readBytes = (byteCount: number) => {
    if (position + byteCount > bytes.length)
      throw new CheckpointError({ code: 'pickle-truncated', file: 'p', byte: bytes.length })
    position += byteCount
    return bytes.subarray(position - byteCount, position)
  }
  return {
    file: 'p',
    get position() {
      return position
    },
    readByte: () => readBytes(1)[0]!,
    readBytes,
  }
}
