/** Arrays that are used again from call to call, by name; what they hold is anything. */
export interface Scratch {
  take<A extends Float32Array | Float64Array | Uint16Array | Uint8Array>(
    name: string,
    type: new (length: number) => A,
    length: number,
  ): A
}

/** Makes an empty store of such arrays. */
export function createScratch(): Scratch {
  const kept = new Map<string, Float32Array | Float64Array | Uint16Array | Uint8Array>()
  return {
    take(name, type, length) {
      let array = kept.get(name)
      if (!(array instanceof type) || array.length < length) kept.set(name, (array = new type(length)))
      return array.subarray(0, length) as InstanceType<typeof type>
    },
  }
}

/** Views the elements of little-endian bytes: in place where their alignment allows, else undefined. */
export function viewOf<A extends Float32Array | Float64Array | Uint16Array>(
  type: { new (buffer: ArrayBufferLike, byteOffset: number, length: number): A; readonly BYTES_PER_ELEMENT: number },
  bytes: Uint8Array,
  start: number,
  count: number,
): A | undefined {
  const from = bytes.byteOffset + start * type.BYTES_PER_ELEMENT
  return from % type.BYTES_PER_ELEMENT === 0 ? new type(bytes.buffer, from, count) : undefined
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

export const arrays = { float32: Float32Array, float64: Float64Array, uint16: Uint16Array } as const
