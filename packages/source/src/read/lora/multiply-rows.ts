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

/** Creates a multiplier that uses the vector instructions of WebAssembly, an order of magnitude faster than plain TypeScript. */
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

// Types and instructions by their names in the WebAssembly specification.
const [i32, f32, v128] = [0x7f, 0x7d, 0x7b]
const localGet = (local: number) => [0x20, local]
const localSet = (local: number) => [0x21, local]
const i32Const = (value: number) => [0x41, value]
const i32Add = [0x6a]
const i32LtU = [0x49]
const align4 = [4, 0]
const v128Load = [0xfd, 0x00, ...align4]
const v128Store = [0xfd, 0x0b, ...align4]
const f32x4Splat = [0xfd, 0x13]
const f32x4Add = [0xfd, 0xe4, 0x01]
const f32x4Mul = [0xfd, 0xe6, 0x01]
const loop = [0x03, 0x40]
const brIf = (depth: number) => [0x0d, depth]
const end = [0x0b]

// Parameters and locals of `add` by index.
const [sums, row0, stride, l0, byteCount, sumsEnd, row1, v0] = [0, 1, 2, 3, 7, 8, 9, 12]
const rows = [row0, row1, row1 + 1, row1 + 2]
const vectorBytes = vectorFloats * 4

/** Code of `add`: sums[i] += l0 · row0[i] + l1 · row1[i] + …, for byteCount / 4 elements, four at a time; rows are `stride` bytes apart. */
const body = [
  [2, 4, i32, 4, v128],
  [localGet(sums), localGet(byteCount), i32Add, localSet(sumsEnd)].flat(),
  ...rows.slice(1).map((row, before) => [localGet(rows[before]!), localGet(stride), i32Add, localSet(row)].flat()),
  ...rows.map((_, k) => [localGet(l0 + k), f32x4Splat, localSet(v0 + k)].flat()),
  loop,
  [localGet(sums), localGet(sums), v128Load].flat(),
  ...rows.map((row, k) => [localGet(row), v128Load, localGet(v0 + k), f32x4Mul, f32x4Add].flat()),
  v128Store,
  ...[sums, ...rows].map((local) => [localGet(local), i32Const(vectorBytes), i32Add, localSet(local)].flat()),
  [localGet(sums), localGet(sumsEnd), i32LtU, brIf(0)].flat(),
  end,
  end,
].flat()

/** Lengths here are all below 128, of one LEB128 byte; that of the body is of two. */
const leb128 = (value: number) => (value < 128 ? [value] : [(value & 0x7f) | 0x80, value >> 7])
const section = (id: number, content: readonly number[]) => [id, ...leb128(content.length), ...content]
const text = (characters: string) => [characters.length, ...new TextEncoder().encode(characters)]

const magicAndVersion = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]

const addFourRows = Uint8Array.from([
  ...magicAndVersion,
  ...section(1, [1, 0x60, 8, i32, i32, i32, f32, f32, f32, f32, i32, 0]),
  ...section(2, [1, ...text('environment'), ...text('memory'), 2, 0, 1]),
  ...section(3, [1, 0]),
  ...section(7, [1, ...text('add'), 0, 0]),
  ...section(10, [1, ...leb128(body.length), ...body]),
])
