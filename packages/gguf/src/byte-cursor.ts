import { GgufError } from './errors.ts'
import { limits } from './limits.ts'
import { decodeEscaping } from './texts.ts'

/** Thrown where the bytes given end, though the file goes on. Never leaves the package. */
export class OutOfBytes extends Error {}

/** Reads little-endian numbers and texts from the start of a file on, of which `bytes` is the first part, or all. */
export class ByteCursor {
  position = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView
  readonly fileBytes: number
  readonly file: string | undefined

  constructor(bytes: Uint8Array, fileBytes: number, file: string | undefined) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.fileBytes = fileBytes
    this.file = file
  }

  /** Gives the place of the next `byteCount` bytes, and steps over them. */
  private take(byteCount: number, what: string): number {
    const start = this.position
    const end = start + byteCount
    if (end > this.bytes.length) this.failAt(end, what)
    this.position = end
    return start
  }

  private failAt(end: number, what: string): never {
    if (end > this.fileBytes) throw new GgufError({ code: 'gguf-truncated', byte: this.fileBytes, what }, this.file)
    if (end > limits.headerBytes)
      throw new GgufError({ code: 'gguf-header-too-long', limit: limits.headerBytes }, this.file)
    throw new OutOfBytes()
  }

  uint8(what: string): number {
    return this.view.getUint8(this.take(1, what))
  }

  uint32(what: string): number {
    return this.view.getUint32(this.take(4, what), true)
  }

  uint64(what: string): bigint {
    return this.view.getBigUint64(this.take(8, what), true)
  }

  /**
   * Reads a number of things that follow.
   * @param most that are allowed at all
   * @param bytesEach that each takes at least, so that the file can't have more than it has room for
   */
  count(what: string, most: number, bytesEach: number): number {
    const start = this.take(8, what)
    const count = this.view.getUint32(start, true) + 2 ** 32 * this.view.getUint32(start + 4, true)
    const room = Math.floor((this.fileBytes - this.position) / bytesEach)
    if (count <= most && count <= room) return count
    const exact = String(this.view.getBigUint64(start, true))
    const isAllowed = count <= most
    throw new GgufError(
      { code: 'gguf-count', what, count: exact, most: isAllowed ? room : most, why: isAllowed ? 'file' : 'limit' },
      this.file,
    )
  }

  /** Copies the next bytes, so that they are aligned and hold on to nothing else. */
  slice(byteCount: number, what: string): ArrayBuffer {
    const start = this.take(byteCount, what)
    return new Uint8Array(this.bytes.subarray(start, start + byteCount)).buffer
  }

  /** Reads a text that has its length before it; bytes that are no UTF-8 are an error, or lone surrogates. */
  text(what: string, most: number, invalid: 'refuse' | 'escape'): string {
    const byteCount = this.count(`bytes in ${what}`, most, 1)
    if (byteCount === 0) return ''
    const start = this.take(byteCount, what)
    const plain = byteCount <= shortText ? plainText(this.bytes, start, byteCount) : undefined
    if (plain !== undefined) return plain
    const bytes = this.bytes.subarray(start, start + byteCount)
    try {
      return strict.decode(bytes)
    } catch (cause) {
      if (invalid === 'refuse') throw new GgufError({ code: 'gguf-text', what, byte: start }, this.file, { cause })
      return decodeEscaping(bytes)
    }
  }
}

/** Up to here joining characters is quicker than a decoder's call, and vocabularies are millions of such texts. */
const shortText = 12

/** Gives the text of bytes that are all ASCII. */
function plainText(bytes: Uint8Array, start: number, byteCount: number): string | undefined {
  let text = ''
  for (let at = start; at < start + byteCount; at++) {
    const byte = bytes[at]!
    if (byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
