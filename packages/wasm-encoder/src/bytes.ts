/** Bytes as they are put together: nested, flattened once at the end. */
export type Bytes = number | Uint8Array | readonly Bytes[]

/** Encodes an unsigned 32-bit integer as LEB128. */
export function unsigned(value: number): Bytes {
  if (value < 0x80) return value
  const bytes: number[] = []
  let rest = value >>> 0
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

/** Encodes a signed 32-bit integer as LEB128. */
export function signed(value: number): Bytes {
  const bytes: number[] = []
  let rest = value | 0
  while (rest < -64 || rest > 63) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>= 7
  }
  bytes.push(rest & 0x7f)
  return bytes
}

/** Encodes a vector: a count, then the items. */
export const vectorOf = (items: readonly Bytes[]): Bytes => [unsigned(items.length), ...items]

/** Puts a length in bytes before the content. */
export function sized(content: Bytes): Bytes {
  const bytes = flatten(content)
  return [unsigned(bytes.length), bytes]
}

/** Encodes a name. */
export const text = (value: string): Bytes => sized(new TextEncoder().encode(value))

/** Puts nested bytes one behind the other. */
export function flatten(bytes: Bytes): Uint8Array<ArrayBuffer> {
  const flat = new Uint8Array(lengthOf(bytes))
  let end = 0
  const append = (part: Bytes): void => {
    if (typeof part === 'number') flat[end++] = part
    else if (part instanceof Uint8Array) {
      flat.set(part, end)
      end += part.length
    } else for (let i = 0; i < part.length; i++) append(part[i]!)
  }
  append(bytes)
  return flat
}

function lengthOf(bytes: Bytes): number {
  if (typeof bytes === 'number') return 1
  if (bytes instanceof Uint8Array) return bytes.length
  let length = 0
  for (let i = 0; i < bytes.length; i++) length += lengthOf(bytes[i]!)
  return length
}

export const float32Bytes = (value: number): Uint8Array => littleEndian(4, (view) => view.setFloat32(0, value, true))
export const float64Bytes = (value: number): Uint8Array => littleEndian(8, (view) => view.setFloat64(0, value, true))

function littleEndian(byteLength: number, write: (view: DataView) => void): Uint8Array {
  const buffer = new ArrayBuffer(byteLength)
  write(new DataView(buffer))
  return new Uint8Array(buffer)
}
