/** Protocol Buffers, as much as writing an ONNX model takes: varints, fixed 32-bit floats, and fields of known length. */
export type Field = readonly number[] | Uint8Array

const text = new TextEncoder()

function varint(value: number | bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return bytes
}

export const integerField = (number: number, value: number | bigint): Field => [
  ...varint(number << 3),
  ...varint(value),
]

export const floatField = (number: number, value: number): Field => [
  ...varint((number << 3) | 5),
  ...new Uint8Array(Float32Array.of(value).buffer),
]

export function bytesField(number: number, bytes: Uint8Array): Field {
  return join([varint((number << 3) | 2), varint(bytes.length), bytes])
}

export const stringField = (number: number, value: string): Field => bytesField(number, text.encode(value))

export const messageField = (number: number, fields: readonly Field[]): Field => bytesField(number, join(fields))

export function join(fields: readonly Field[]): Uint8Array {
  const joined = new Uint8Array(fields.reduce((length, field) => length + field.length, 0))
  let position = 0
  for (const field of fields) {
    joined.set(field, position)
    position += field.length
  }
  return joined
}
