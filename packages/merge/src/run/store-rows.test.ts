import { createBlockEncoder, type EncodedGgmlType, ggmlTypes } from '@mk/gguf'
import { dtypeBytes } from '@mk/safetensors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { RowRun, StoredRows } from '../plan/merge-plan.ts'
import { createRowStore } from './store-rows.ts'

/** Stores elements part by part, cut at multiples of `step`. */
function store(rows: StoredRows, values: Float32Array, step: number) {
  const file = new Uint8Array(4096 * 8).fill(0xee)
  let writeCount = 0
  const write = (_: string, position: number, bytes: Uint8Array) => {
    file.set(bytes, position)
    writeCount++
  }
  const dtype = dtypeOf(rows.type)
  const bytes = new Uint8Array(values.length * dtypeBytes(dtype))
  createBlockEncoder(dtype)(values, bytes)
  const rowStore = createRowStore({ write, close() {} })
  for (let start = 0; start < values.length; start += step) {
    const end = Math.min(start + step, values.length)
    const part = bytes.slice(start * dtypeBytes(dtype), end * dtypeBytes(dtype))
    rowStore.store({ file: 'f', dtype, byteStart: 0, rows }, rows, start, part)
  }
  return { file, writeCount }
}

const dtypeOf = (type: EncodedGgmlType) => (type === 'F16' ? 'F16' : type === 'BF16' ? 'BF16' : 'F32')

/** The same in the plainest way: one row after the other. */
function storePlainly({ type, columns, runs }: StoredRows, values: Float32Array): Uint8Array {
  const file = new Uint8Array(4096 * 8).fill(0xee)
  const { blockBytes, blockElements } = ggmlTypes[type]
  const rowBytes = (columns / blockElements) * blockBytes
  for (const { rowStart, rowCount, byteStart, interleaveHeads: heads } of runs) {
    for (let row = 0; row < rowCount; row++) {
      const encoded = new Uint8Array(rowBytes)
      createBlockEncoder(type)(values.slice((rowStart + row) * columns, (rowStart + row + 1) * columns), encoded)
      file.set(encoded, byteStart + rowBytes * (heads === undefined ? row : interleaved(row, rowCount / heads)))
    }
  }
  return file
}

/** [heads, 2, n] → [heads, n, 2]. */
function interleaved(row: number, headRows: number): number {
  const inHead = row % headRows
  const half = Math.floor(inHead / (headRows / 2))
  return row - inHead + 2 * (inHead % (headRows / 2)) + half
}

const rowsOf = (type: EncodedGgmlType, columns: number, runs: readonly RowRun[]): StoredRows => {
  const { blockBytes, blockElements } = ggmlTypes[type]
  return { type, blockBytes, blockElements, columns, runs }
}
const valuesOf = (count: number) => Float32Array.from({ length: count }, (_, index) => Math.sin(index * 1.7) * 3)

describe('createRowStore', () => {
  const types = ['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0'] as const

  it.each(types)('takes rows of %s where they belong, however they come', (type) => {
    const run = fc.record({
      heads: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      half: fc.integer({ min: 1, max: 3 }),
    })
    fc.assert(
      fc.property(
        fc.array(run, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(32, 64),
        fc.nat(20),
        (wanted, columns, step) => {
          let rowStart = 0
          let byteStart = 64
          const runs = wanted.map(({ heads, half }): RowRun => {
            const rowCount = 2 * half * (heads ?? 1)
            const placed = { rowStart, rowCount, byteStart, ...(heads !== undefined && { interleaveHeads: heads }) }
            // Rows between runs are not stored.
            rowStart += rowCount + 1
            byteStart += rowCount * columns * 4 + 32
            return placed
          })
          const values = valuesOf(rowStart * columns)
          const rows = rowsOf(type, columns, runs)
          const { file } = store(rows, values, 32 * (step + 1))
          expect(Buffer.compare(file, storePlainly(rows, values))).toBe(0)
        },
      ),
      { numRuns: 50 },
    )
  })

  it('interleaves the elements of a bias in one write', () => {
    const rows = rowsOf('F32', 1, [{ rowStart: 0, rowCount: 64, byteStart: 0, interleaveHeads: 4 }])
    const values = valuesOf(64)
    const { file, writeCount } = store(rows, values, 64)
    expect(Buffer.compare(file, storePlainly(rows, values))).toBe(0)
    expect(writeCount).toBe(1)
  })

  it('writes long rows where they are, without gathering them', () => {
    const rows = rowsOf('F32', 1056, [{ rowStart: 0, rowCount: 4, byteStart: 0, interleaveHeads: 1 }])
    const values = valuesOf(4 * 1056)
    const { file, writeCount } = store(rows, values, 4 * 1056)
    expect(Buffer.compare(file, storePlainly(rows, values))).toBe(0)
    expect(writeCount).toBe(4)
  })
})
