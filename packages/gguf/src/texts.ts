/** Encodes as UTF-8, and lone surrogates U+DC80 to U+DCFF as the bytes that they stand for. */
export function encodeText(text: string): Uint8Array {
  if (!escaped.test(text)) return encoder.encode(text)
  const parts = text.split(escaped)
  const bytes = parts.map((part, index) =>
    index % 2 === 0 ? encoder.encode(part) : Uint8Array.of(part.charCodeAt(0) - 0xdc00),
  )
  const all = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const part of bytes) {
    all.set(part, end)
    end += part.length
  }
  return all
}

const escaped = /(?<![\ud800-\udbff])([\udc80-\udcff])/
const encoder = new TextEncoder()

/** Decodes what is UTF-8, and makes of every other byte U+DC00 and the byte. */
export function decodeEscaping(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length;) {
    const { code, byteCount } = codePointAt(bytes, at)
    if (code >= 0x10000) {
      units[length++] = 0xd7c0 + (code >> 10)
      units[length++] = 0xdc00 + (code & 0x3ff)
    } else units[length++] = code
    at += byteCount
  }
  let text = ''
  for (let start = 0; start < length; start += 2 ** 13)
    text += String.fromCharCode(...units.subarray(start, Math.min(start + 2 ** 13, length)))
  return text
}

/** The first number that a sequence of so many further bytes may have: what is less has a shorter one. */
const smallest = [0, 0x80, 0x800, 0x10000]

/** A code point, or a byte that begins none. */
function codePointAt(bytes: Uint8Array, at: number): { readonly code: number; readonly byteCount: number } {
  const first = bytes[at]!
  const more = first < 0x80 ? 0 : first < 0xc0 || first >= 0xf8 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
  let code = more <= 0 ? first : first & (0x3f >> more)
  for (let index = 1; index <= more; index++) {
    const byte = bytes[at + index] ?? 0
    if (byte >> 6 !== 2) return { code: 0xdc00 + first, byteCount: 1 }
    code = (code << 6) | (byte & 0x3f)
  }
  const isNone = more < 0 || code < smallest[more]! || code > 0x10ffff || code >> 11 === 0x1b
  return isNone ? { code: 0xdc00 + first, byteCount: 1 } : { code, byteCount: more + 1 }
}
