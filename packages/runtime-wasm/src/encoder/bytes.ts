/** Bytes as they are put together: nested, flattened once at the end. */
export type Bytes = number | readonly Bytes[]

/** LEB128 of an unsigned 32-bit integer. */
export function unsigned(value: number): number[] {
  const bytes: number[] = []
  let rest = value >>> 0
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}

/** LEB128 of a signed integer of up to 64 bits. */
export function signed(value: bigint | number): number[] {
  const bytes: number[] = []
  let rest = BigInt(value)
  while (rest < -64n || rest > 63n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest & 0x7fn))
  return bytes
}

/** A count, then the items. */
export const vectorOf = (items: readonly Bytes[]): Bytes => [unsigned(items.length), ...items]

/** A length in bytes, then the content. */
export function sized(content: Bytes): Bytes {
  const bytes = flatten(content)
  return [unsigned(bytes.length), bytes]
}

export const text = (value: string): Bytes => sized([...new TextEncoder().encode(value)])

export function flatten(bytes: Bytes): number[] {
  const flat: number[] = []
  const append = (part: Bytes): void => {
    if (typeof part === 'number') flat.push(part)
    else for (const inner of part) append(inner)
  }
  append(bytes)
  return flat
}

export function float32Bytes(value: number): number[] {
  return [...new Uint8Array(littleEndian(4, (view) => view.setFloat32(0, value, true)))]
}

export function float64Bytes(value: number): number[] {
  return [...new Uint8Array(littleEndian(8, (view) => view.setFloat64(0, value, true)))]
}

function littleEndian(byteLength: number, write: (view: DataView) => void): ArrayBuffer {
  const buffer = new ArrayBuffer(byteLength)
  write(new DataView(buffer))
  return buffer
}
