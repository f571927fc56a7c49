/** Columns that one call covers: with the rows of four ranks they fit the processor's nearest cache. */
export const tileColumns = 1024

/** A product of two matrices, tile by tile, in float32. */
export interface RowMultiplier {
  /**
   * Takes `count` ≤ tileColumns columns of the right matrix, from `start` on in each of its `rank` rows, which are `width` apart.
   */
  setRight(right: Float32Array, start: number, width: number, rank: number, count: number): void
  /** Σ_k left[leftStart + k] · right[k], in the order of k; valid until the next call. */
  multiply(left: Float32Array, leftStart: number): Float32Array
}

const vectorFloats = 4
const ranksTogether = 4
const tileBytes = tileColumns * 4

/** Multiplies with the vector instructions of WebAssembly, an order of magnitude faster than plain TypeScript. */
export function createRowMultiplier(): RowMultiplier {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const instance = new WebAssembly.Instance(new WebAssembly.Module(addFourRows), { environment: { memory } })
  /** sums, rows, stride, the elements of four ranks, bytes */
  const add = instance.exports['add'] as (...operands: readonly number[]) => void
  let rank = 0
  let count = 0

  return {
    setRight(right, start, width, newRank, newCount) {
      rank = newRank
      count = newCount
      const rows = Math.ceil(rank / ranksTogether) * ranksTogether
      const missing = (1 + rows) * tileBytes - memory.buffer.byteLength
      if (missing > 0) memory.grow(Math.ceil(missing / 65_536))
      const tile = new Float32Array(memory.buffer, tileBytes, rows * tileColumns)
      for (let k = 0; k < rank; k++)
        tile.set(right.subarray(k * width + start, k * width + start + count), k * tileColumns)
      tile.fill(0, rank * tileColumns)
    },
    multiply(left, leftStart) {
      const sums = new Float32Array(memory.buffer, 0, count)
      sums.fill(0)
      const at = (k: number) => (k < rank ? left[leftStart + k]! : 0)
      const bytes = Math.ceil(count / vectorFloats) * vectorFloats * 4
      for (let k = 0; k < rank; k += ranksTogether)
        add(0, (1 + k) * tileBytes, tileBytes, at(k), at(k + 1), at(k + 2), at(k + 3), bytes)
      return sums
    },
  }
}

// Parameters and locals of `add` by index.
const [sums, row0, stride, l0, bytes, end, row1, v0] = [0, 1, 2, 3, 7, 8, 9, 12]
const get = (local: number) => [0x20, local]
const set = (local: number) => [0x21, local]
const i32Add = 0x6a
const load = (address: number) => [...get(address), 0xfd, 0x00, 4, 0]
const advance = (address: number) => [...get(address), 0x41, 16, i32Add, ...set(address)]
const [i32, f32, v128] = [0x7f, 0x7d, 0x7b]

/** Code of `add`: sums[i] += l0 · row0[i] + l1 · row1[i] + …, for bytes / 4 elements, four at a time; rows are `stride` bytes apart. */
const body = [
  2,
  4,
  i32,
  4,
  v128,
  ...get(sums),
  ...get(bytes),
  i32Add,
  ...set(end),
  ...[0, 1, 2].flatMap((row) => [
    ...get(row === 0 ? row0 : row1 + row - 1),
    ...get(stride),
    i32Add,
    ...set(row1 + row),
  ]),
  ...[0, 1, 2, 3].flatMap((row) => [...get(l0 + row), 0xfd, 0x13, ...set(v0 + row)]),
  0x03,
  0x40,
  ...get(sums),
  ...load(sums),
  ...[0, 1, 2, 3].flatMap((row) => [
    ...load(row === 0 ? row0 : row1 + row - 1),
    ...get(v0 + row),
    0xfd,
    0xe6,
    0x01,
    0xfd,
    0xe4,
    0x01,
  ]),
  0xfd,
  0x0b,
  4,
  0,
  ...[sums, row0, row1, row1 + 1, row1 + 2].flatMap(advance),
  ...get(sums),
  ...get(end),
  0x49,
  0x0d,
  0,
  0x0b,
  0x0b,
]

/** Lengths here are all below 128, of one LEB128 byte; that of the body is of two. */
const leb128 = (value: number) => (value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7])
const section = (id: number, content: readonly number[]) => [id, ...leb128(content.length), ...content]
const text = (characters: string) => [characters.length, ...new TextEncoder().encode(characters)]

const addFourRows = Uint8Array.from([
  0x00,
  0x61,
  0x73,
  0x6d,
  1,
  0,
  0,
  0,
  ...section(1, [1, 0x60, 8, i32, i32, i32, f32, f32, f32, f32, i32, 0]),
  ...section(2, [1, ...text('environment'), ...text('memory'), 2, 0, 1]),
  ...section(3, [1, 0]),
  ...section(7, [1, ...text('add'), 0, 0]),
  ...section(10, [1, ...leb128(body.length), ...body]),
])
