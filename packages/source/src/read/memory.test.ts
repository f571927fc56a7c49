import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Dtype, dtypeBytes, elementCount } from '@mk/safetensors'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { TensorSource } from '../tensor-source.ts'
import { transposedSource } from '../transposed-source.ts'
import { createSourceReader } from '../node/index.ts'

let folder: string
let file: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reader-memory-'))
  file = join(folder, 'sparse')
  writeFileSync(file, '')
  truncateSync(file, 2 ** 27)
})
afterAll(() => rmSync(folder, { recursive: true }))

const [rows, columns] = [4096, 16_384]
const shape = [rows, columns]
const stored = (dtype: Dtype, size: readonly number[] = shape): TensorSource => ({
  kind: 'file',
  file,
  byteStart: 0,
  dtype,
  shape: size,
})
const file4 = (dtype: Dtype, size: readonly number[]) =>
  ({ ...stored(dtype, size), kind: 'file', file, byteStart: 0 }) as const
const half = rows / 2

const sources: Record<string, () => TensorSource> = {
  strided: () => ({ kind: 'strided', file, byteStart: 0, dtype: 'BF16', shape, strides: [1, rows], elementOffset: 0 }),
  crop: () => ({ kind: 'crop', dtype: 'BF16', shape: [rows, columns - 1], source: stored('BF16') }),
  gather: () => ({
    kind: 'gather',
    dtype: 'BF16',
    shape,
    sources: [stored('BF16')],
    segments: [
      { kind: 'copy', rowCount: half, source: 0, row: half },
      { kind: 'mean-of-others', rowCount: half },
    ],
  }),
  lora: () => ({
    kind: 'lora',
    dtype: 'F32',
    shape,
    source: stored('BF16'),
    a: stored('BF16', [256, columns]),
    b: stored('BF16', [rows, 256]),
    scale: 1,
    transposed: false,
  }),
  // GPTQ, with everything there is.
  packed: () => {
    const codes = { kind: 'packed', dtype: 'F32', bits: 4, values: { kind: 'integers', offset: 0 } } as const
    return {
      kind: 'dequantized',
      dtype: 'F32',
      shape,
      source: { ...codes, shape, along: 'columns', words: transposedSource(file4('I32', [columns / 8, rows])) },
      scale: transposedSource(file4('F16', [columns / 128, rows])),
      zero: {
        ...codes,
        shape: [rows, columns / 128],
        along: 'rows',
        words: transposedSource(file4('I32', [columns / 128, rows / 8])),
      },
      groups: stored('I32', [columns]),
      blockRows: 1,
      blockColumns: 128,
    }
  },
  blocks: () => ({ kind: 'blocks', dtype: 'F32', shape, file, byteStart: 0, type: 'Q4_K' }),
  dequantized: () => ({
    kind: 'dequantized',
    dtype: 'F32',
    shape,
    source: stored('F8_E4M3'),
    scale: stored('F32', [rows / 128, columns / 128]),
    blockRows: 128,
    blockColumns: 128,
  }),
}

it.each(Object.keys(sources))('reads parts of a large %s source with little memory', (kind) => {
  const source = sources[kind]!()
  const reader = createSourceReader()
  const into = new Uint8Array(2 ** 17 * dtypeBytes(source.dtype))
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  for (const part of [0, 0.3, 0.7, 1]) {
    reader.read(source, Math.floor(part * (elementCount(source.shape) - 2 ** 17)), 2 ** 17, into)
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }
  reader.close()
  expect(most).toBeLessThan({ lora: 20e6, packed: 5e6, strided: 3e6 }[kind] ?? 2e6)
})
