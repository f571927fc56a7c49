import { latin1Text } from '../../files/latin1.ts'
import type { ByteCursor } from './byte-cursor.ts'

/** Reads what follows an opcode. Lengths are checked before anything is read. */
export interface Operands {
  unsigned(byteCount: 1 | 2 | 4 | 8): number
  /** A little-endian integer in two's complement; a bigint beyond 2^53. */
  integer(byteCount: number): number | bigint
  /** A big-endian double. */
  float(): number
  /** Valid until the next call. */
  bytes(byteCount: number): Uint8Array
  text(byteCount: number): string
  latin1(byteCount: number): string
  /** Characters up to a line break, which is not part of them. */
  line(): string
  skip(byteCount: number): void
}

export interface OperandLimits {
  readonly stringBytes: number
  readonly integerBytes: number
}

const longestName = 1024
const mask64 = 0xffff_ffff_ffff_ffffn

/**
 * Creates the reader of what follows opcodes.
 * @param check throws where `found` is more than `most`
 */
export function createOperands(
  cursor: ByteCursor,
  limits: OperandLimits,
  check: (what: string, found: number, most: number) => void,
): Operands {
  const utf8 = new TextDecoder()

  function bytes(byteCount: number): Uint8Array {
    check('the length of a string in the pickle', byteCount, limits.stringBytes)
    return cursor.readBytes(byteCount)
  }

  return {
    unsigned(byteCount) {
      let value = 0
      const view = cursor.readBytes(byteCount)
      for (let index = byteCount - 1; index >= 0; index--) value = value * 256 + view[index]!
      return value
    },
    integer(byteCount) {
      check('the size of an integer in the pickle', byteCount, limits.integerBytes)
      const view = cursor.readBytes(byteCount)
      let value = 0n
      for (let index = byteCount - 1; index >= 0; index--) value = (value << 8n) | BigInt(view[index]!)
      value = BigInt.asIntN(byteCount * 8, value)
      return value <= mask64 && Number.isSafeInteger(Number(value)) ? Number(value) : value
    },
    float() {
      const view = cursor.readBytes(8)
      return new DataView(view.buffer, view.byteOffset, 8).getFloat64(0)
    },
    bytes,
    text: (byteCount) => utf8.decode(bytes(byteCount)),
    latin1: (byteCount) => latin1Text(bytes(byteCount)),
    line() {
      let value = ''
      for (let byte = cursor.readByte(); byte !== 10; byte = cursor.readByte()) {
        check('the length of a name in the pickle', value.length, longestName)
        value += String.fromCharCode(byte)
      }
      return value
    },
    skip(byteCount) {
      cursor.readBytes(byteCount)
    },
  }
}
