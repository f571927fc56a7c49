import { type BlockEncoder, createBlockEncoder, type EncodedGgmlType } from '@mk/gguf'
import { dtypeBytes } from '@mk/safetensors'
import type { RowRun, StoredRows } from '../plan/merge-plan.ts'
import type { OutputWriter } from './output-writer.ts'
import type { PassOutput } from './task.ts'

/** Encodes elements and takes their rows to where they belong. One for all tensors of a worker. */
export interface RowStore {
  /**
   * Writes consecutive elements of a tensor.
   * @param start flat index of the first
   * @param elements in the dtype of the output
   */
  store(output: PassOutput, rows: StoredRows, start: number, elements: Uint8Array): void
}

export function createRowStore(writer: OutputWriter): RowStore {
  const encoders = new Map<EncodedGgmlType, BlockEncoder>()
  let encoded = new Uint8Array(0)
  let gathered = new Uint8Array(0)
  const encodeAs = (
    { type, blockBytes, blockElements }: StoredRows,
    dtype: PassOutput['dtype'],
    elements: Uint8Array,
  ): Uint8Array => {
    if (type === dtype) return elements
    const encode = encoders.get(type) ?? createBlockEncoder(type)
    encoders.set(type, encode)
    const values = new Float32Array(elements.buffer, elements.byteOffset, elements.length / dtypeBytes(dtype))
    const byteLength = (values.length / blockElements) * blockBytes
    if (encoded.length < byteLength) encoded = new Uint8Array(byteLength)
    const blocks = encoded.subarray(0, byteLength)
    encode(values, blocks)
    return blocks
  }
  return {
    store({ file, dtype }, rows, start, elements) {
      const { columns, blockBytes, blockElements } = rows
      const bytesOf = (elementCount: number) => (elementCount / blockElements) * blockBytes
      const bytes = encodeAs(rows, dtype, elements)
      const end = start + elements.length / dtypeBytes(dtype)
      for (const run of rows.runs) {
        const first = run.rowStart * columns
        const from = Math.max(start, first)
        const to = Math.min(end, first + run.rowCount * columns)
        if (from >= to) continue
        const part = bytes.subarray(bytesOf(from - start), bytesOf(to - start))
        if (run.interleaveHeads === undefined) {
          writer.write(file, run.byteStart + bytesOf(from - first), part)
          continue
        }
        if (gathered.length < part.length) gathered = new Uint8Array(part.length)
        interleave(
          { run, heads: run.interleaveHeads, rowBytes: bytesOf(columns), byteStart: bytesOf(from - first), part },
          { gathered, write: (position, rows) => writer.write(file, position, rows) },
        )
      }
    },
  }
}

interface InterleavedPart {
  readonly run: RowRun
  readonly heads: number
  readonly rowBytes: number
  /** Where the part begins in the run, were it not interleaved; within a row where rows are longer than what comes at once. */
  readonly byteStart: number
  readonly part: Uint8Array
}

/** Rows up to this size are gathered and written together where they come to lie side by side. */
const gatheredRowBytes = 2 ** 12

/** Goes through the rows of the part in the order in which they come to lie. */
function interleave(
  { run, heads, rowBytes, byteStart, part }: InterleavedPart,
  { gathered, write }: { readonly gathered: Uint8Array; readonly write: (position: number, bytes: Uint8Array) => void },
): void {
  const headRows = run.rowCount / heads
  const half = headRows / 2
  const byteEnd = byteStart + part.length
  const firstHead = Math.floor(byteStart / rowBytes / headRows)
  const lastHead = Math.floor((byteEnd - 1) / rowBytes / headRows)
  let position = 0
  let length = 0
  const flush = () => {
    if (length > 0) write(position, gathered.subarray(0, length))
    length = 0
  }
  for (let target = firstHead * headRows; target < (lastHead + 1) * headRows; target++) {
    const inHead = target % headRows
    const row = target - inHead + (inHead % 2) * half + Math.floor(inHead / 2)
    const from = Math.max(row * rowBytes, byteStart)
    const to = Math.min((row + 1) * rowBytes, byteEnd)
    if (from >= to) continue
    const bytes = part.subarray(from - byteStart, to - byteStart)
    const place = run.byteStart + target * rowBytes + from - row * rowBytes
    if (bytes.length > gatheredRowBytes) {
      write(place, bytes)
      continue
    }
    if (place !== position + length || length === 0) {
      flush()
      position = place
    }
    gathered.set(bytes, length)
    length += bytes.length
  }
  flush()
}
