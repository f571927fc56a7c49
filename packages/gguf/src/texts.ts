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
