import { multiplyModule, packModule, STRIP_COLUMNS } from './multiply-module.ts'
import { reflectModule, sweepModule } from './reflect-module.ts'
import { dotModule, rotateModule } from './rotate-module.ts'

/** A matrix in a workspace, row-major: element (row, column) is values[start + row · stride + column] of the workspace. */
export interface Block {
  readonly start: number
  /** Elements from one row to the next. */
  readonly stride: number
  readonly rows: number
  readonly columns: number
}

/** Matrices in the memory of WebAssembly, and kernels over them in float64, which give the same bytes everywhere. */
export interface Workspace {
  readonly values: Float64Array
  /** Makes room for a matrix of zeros. */
  matrix(rows: number, columns: number): Block
  /** Adds the product of `left` and rows, which begin at `rowStarts`, to `into`, each sum by ascending terms. */
  multiplyAdd(into: Block, left: Block, rowStarts: ArrayLike<number>): void
  /** Turns two rows a and b of so many elements into c·a − s·b and s·a + c·b. Past their ends, up to a multiple of four, is the same. */
  rotate(first: number, second: number, count: number, turn: { readonly c: number; readonly s: number }): void
  /** Multiplies two rows; past their ends, up to a multiple of four, are zeros. */
  dot(first: number, second: number, count: number): number
  /** Takes off some rows their part along a vector, twice; 2·norm is its squared length. All begin at the same column. */
  reflect(vector: number, norm: number, rows: Block): void
  /**
   * Of the leading rows of a symmetric matrix, whose lower triangle is kept, takes off u·pᵀ + p·uᵀ, and adds what is left of them times v
   * to `into`; those four are rows. An even number of rows.
   */
  sweep(matrix: Block, count: number, vectors: Readonly<Record<'u' | 'p' | 'v' | 'into', number>>): void
}

/** Terms of a sum, and columns of the right factor, that are packed at once: they stay in the cache. */
const DEPTH = 256
const WIDTH = 128
/** Rows that would all lie in the same place of the cache are put apart. */
const strideOf = (columns: number): number => {
  const even = Math.ceil(columns / 4) * 4
  return even % 128 === 0 ? even + 4 : even
}
/** Whole vectors are read and written past the ends of rows. */
const SLACK = 8

/** Tells how many elements of a workspace a matrix takes. */
export const blockElements = (rows: number, columns: number): number => rows * strideOf(columns) + SLACK

/** Creates a workspace with room for so many elements, in the sum of `blockElements` of all its matrices. */
export function createWorkspace(elementCount: number): Workspace {
  const listStart = 0
  const packedStart = 4 * DEPTH
  const resultStart = packedStart / 8 + DEPTH * WIDTH
  const first = resultStart + 4
  const pages = Math.ceil((8 * (first + elementCount)) / 2 ** 16) + 1
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const start = <T>(module: () => Uint8Array<ArrayBuffer>): T =>
    new WebAssembly.Instance(new WebAssembly.Module(module()), { env: { memory } }).exports['run'] as T
  type Run = (...values: number[]) => void
  let [pack, multiply, reflect, sweep, rotate, dot]: (Run | undefined)[] = []
  const values = new Float64Array(memory.buffer)
  const list = new Uint32Array(memory.buffer, listStart, DEPTH)
  let used = first
  return {
    values,
    matrix(rows, columns) {
      const block = { start: used, stride: strideOf(columns), rows, columns }
      used += blockElements(rows, columns)
      return block
    },
    multiplyAdd(into, left, rowStarts) {
      pack ??= start<Run>(packModule)
      multiply ??= start<Run>(multiplyModule)
      const { rows, columns } = into
      if (rows === 0) return
      for (let term = 0; term < left.columns; term += DEPTH) {
        const terms = Math.min(DEPTH, left.columns - term)
        for (let i = 0; i < terms; i++) list[i] = 8 * rowStarts[term + i]!
        for (let column = 0; column < columns; column += WIDTH) {
          const width = Math.min(WIDTH, columns - column)
          const strips = Math.ceil(width / STRIP_COLUMNS)
          pack(listStart, 8 * column, packedStart, terms, width)
          const [to, from] = [8 * (into.start + column), 8 * (left.start + term)]
          multiply(to, 8 * into.stride, from, 8 * left.stride, packedStart, rows, strips, terms)
        }
      }
    },
    rotate(first, second, count, { c, s }) {
      rotate ??= start<Run>(rotateModule)
      rotate(8 * first, 8 * second, 32 * Math.ceil(count / 4), c, s)
    },
    dot(first, second, count) {
      dot ??= start<Run>(dotModule)
      dot(8 * first, 8 * second, 32 * Math.ceil(count / 4), 8 * resultStart)
      return values[resultStart]!
    },
    reflect(vector, norm, { start: rows, stride, rows: count, columns }) {
      reflect ??= start<Run>(reflectModule)
      if (count > 0 && columns > 0) reflect(8 * vector, 32 * Math.ceil(columns / 4), norm, 8 * rows, 8 * stride, count)
    },
    sweep(matrix, count, { u, p, v, into }) {
      sweep ??= start<Run>(sweepModule)
      sweep(8 * matrix.start, 8 * matrix.stride, count / 2, 8 * u, 8 * p, 8 * v, 8 * into)
    },
  }
}

/** Where the rows of a matrix begin. */
export const rowStartsOf = ({ start, stride, rows }: Block, column = 0): number[] =>
  Array.from({ length: rows }, (_, row) => start + row * stride + column)

/** Takes rows and columns of a matrix. */
export const blockOf = (
  { start, stride }: Block,
  {
    row = 0,
    column = 0,
    rows,
    columns,
  }: { readonly row?: number; readonly column?: number; readonly rows: number; readonly columns: number },
): Block => ({ start: start + row * stride + column, stride, rows, columns })

/** Writes the elements of a dense matrix, times a factor. */
export function fillBlock(
  { values: into }: Workspace,
  { start, stride, rows, columns }: Block,
  values: Float64Array,
  factor = 1,
): void {
  for (let row = 0; row < rows; row++) {
    const at = start + row * stride
    into.set(values.subarray(row * columns, (row + 1) * columns), at)
    if (factor !== 1) for (let i = at; i < at + columns; i++) into[i]! *= factor
  }
}

/** Copies a matrix out. */
export function readBlock({ values }: Workspace, { start, stride, rows, columns }: Block): Float64Array {
  const read = new Float64Array(rows * columns)
  for (let row = 0; row < rows; row++)
    read.set(values.subarray(start + row * stride, start + row * stride + columns), row * columns)
  return read
}
