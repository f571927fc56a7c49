import { GgufError } from './errors.ts'
import { limits } from './limits.ts'
import { encodeText } from './texts.ts'

/** Grows by little-endian numbers and texts. */
export class HeaderBytes {
  private bytes = new Uint8Array(4096)
  private view = new DataView(this.bytes.buffer)
  private length = 0

  /** Gives the place of `byteCount` more bytes. */
  private add(byteCount: number): number {
    const start = this.length
    this.length += byteCount
    if (this.length > limits.headerBytes)
      throw new GgufError({ code: 'gguf-header-too-long', limit: limits.headerBytes })
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.length, this.bytes.length * 2))
      larger.set(this.bytes)
      this.bytes = larger
      this.view = new DataView(larger.buffer)
    }
    return start
  }

  uint32(value: number): void {
    const start = this.add(4) // which may give `view` another buffer
    this.view.setUint32(start, value, true)
  }

  uint64(value: number): void {
    const start = this.add(8)
    this.view.setBigUint64(start, BigInt(value), true)
  }

  raw(bytes: Uint8Array): void {
    const start = this.add(bytes.length)
    this.bytes.set(bytes, start)
  }

  text(text: string, { what, most }: { readonly what: string; readonly most: number }): void {
    const utf8 = encodeText(text)
    if (utf8.length > most)
      throw new GgufError({
        code: 'gguf-count',
        what: `bytes in ${what}`,
        count: String(utf8.length),
        most,
        why: 'limit',
      })
    this.uint64(utf8.length)
    this.raw(utf8)
  }

  /** Gives all of it, padded with zeros to a multiple of the alignment. */
  finish(alignment: number): Uint8Array {
    const end = this.length
    this.add((alignment - (end % alignment)) % alignment)
    return this.bytes.slice(0, this.length)
  }
}
