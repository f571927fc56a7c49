import { writeFile } from 'node:fs/promises'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { matrixSource, storedDtype, type TensorSource } from './index.ts'
import { createSourceReader } from './node/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'mk-matrix-'))
const file = join(folder, 'stack.bin')
afterAll(() => rmSync(folder, { recursive: true }))

describe('rows of a matrix in a stack of matrices', () => {
  const common = { file, byteStart: 4, dtype: 'F32' as const, shape: [2, 4, 3] }
  test.each<[string, TensorSource, readonly number[]]>([
    ['stored one after another', { kind: 'file', ...common }, [18, 19, 20, 21, 22, 23]],
    ['of a view', { kind: 'strided', ...common, elementOffset: 0, strides: [1, 2, 8] }, [5, 13, 21, 7, 15, 23]],
  ])('%s', async (_, source, expected) => {
    await writeFile(file, new Uint8Array(Float32Array.from({ length: 25 }, (_, index) => index - 1).buffer))
    const rows = matrixSource(source, { index: 1, rowStart: 2, rowCount: 2 })!
    const into = new Float32Array(6)
    const reader = createSourceReader()
    reader.read(rows, 0, 6, new Uint8Array(into.buffer))
    reader.close()
    expect(rows.shape).toEqual([2, 3])
    expect([...into]).toEqual(expected)
  })

  test('of quantized weights', async () => {
    await writeFile(
      file,
      Uint8Array.from({ length: 12 }, (_, code) => code),
    )
    const codes = { kind: 'file', file, byteStart: 0, dtype: 'U8', shape: [2, 2, 3] } as const
    const values = { kind: 'integers', offset: 100 } as const
    const source = {
      kind: 'packed',
      dtype: 'F32',
      shape: [2, 2, 3],
      words: codes,
      bits: 8,
      along: 'columns',
      values,
    } as const
    const rows = matrixSource(source, { index: 1, rowStart: 1, rowCount: 1 })!
    const into = new Float32Array(3)
    const reader = createSourceReader()
    reader.read(rows, 0, 3, new Uint8Array(into.buffer))
    reader.close()
    expect([rows.shape, [...into]]).toEqual([
      [1, 3],
      [109, 110, 111],
    ])
    expect(storedDtype(rows, 'F16')).toBe('F16')
  })

  test('cannot be taken where elements are computed', () => {
    const stored: TensorSource = { kind: 'file', ...common }
    const source: TensorSource = { kind: 'crop', dtype: 'F32', shape: [2, 2, 3], source: stored }
    expect(matrixSource(source, { index: 0, rowStart: 0, rowCount: 1 })).toBeUndefined()
  })

  test('past the end are refused', () =>
    expect(() => matrixSource({ kind: 'file', ...common }, { index: 1, rowStart: 3, rowCount: 2 })).toThrow(RangeError))
})
