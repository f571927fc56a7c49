import type { Runtime } from '@mk/tensor/runtime'

/** Rows of float32 that lie together somewhere. */
export interface RowStore {
  readonly rows: number
  readonly width: number
  /** Reads consecutive rows. */
  read(first: number, count: number, into: Float32Array): void
}

/** Makes a store of rows in memory. */
export const rowsInMemory = (values: Float32Array, width: number): RowStore => ({
  rows: values.length / width,
  width,
  read: (first, count, into) => into.set(values.subarray(first * width, (first + count) * width)),
})

/** Bytes of rows that are read together. */
const blockBytes = 2 ** 22

/** How many rows of a width are read together. */
export const blockRows = (width: number): number => Math.max(1, Math.floor(blockBytes / (4 * width)))

/** Goes through the rows of a store, block by block, in one buffer. */
export async function eachBlock(
  { rows, width, read }: RowStore,
  buffer: Float32Array,
  visit: (block: Float32Array, first: number, count: number) => void | Promise<void>,
): Promise<void> {
  const most = Math.floor(buffer.length / width)
  for (let first = 0; first < rows; first += most) {
    const count = Math.min(most, rows - first)
    const block = buffer.subarray(0, count * width)
    read(first, count, block)
    await visit(block, first, count)
  }
}

/** The bytes of an array. */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Float64Array): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

/** Dot product of two runs of float32, in float64. */
export function dotProduct(a: Float32Array, aStart: number, b: Float32Array, bStart: number, count: number): number {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  let i = 0
  for (; i + 3 < count; i += 4) {
    s0 += a[aStart + i]! * b[bStart + i]!
    s1 += a[aStart + i + 1]! * b[bStart + i + 1]!
    s2 += a[aStart + i + 2]! * b[bStart + i + 2]!
    s3 += a[aStart + i + 3]! * b[bStart + i + 3]!
  }
  for (; i < count; i++) s0 += a[aStart + i]! * b[bStart + i]!
  return s0 + s2 + (s1 + s3)
}

/** A buffer that kernels use without a copy, as far as the runtime has room. */
export function allocateFloats(runtime: Pick<Runtime, 'allocate'>, count: number): Float32Array {
  if (count > 2 ** 24) return new Float32Array(count)
  const { buffer, byteOffset } = runtime.allocate(count * 4)
  return new Float32Array(buffer, byteOffset, count)
}
