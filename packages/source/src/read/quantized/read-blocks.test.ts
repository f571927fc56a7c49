import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createBlockEncoder, decodedGgmlTypes, ggmlBytes } from '@mk/gguf'
import { describe, expect, it } from 'vitest'
import { matrixSource } from '../../matrix-source.ts'
import { useReader } from '../__fixtures__/use-reader.ts'

const reader = useReader()

describe('blocks', () => {
  it.each(decodedGgmlTypes)('reads any range of %s', (type) => {
    const shape = [2, 3, 512]
    const file = join(reader.folder, type)
    // Half-precision scales that are finite, whatever their place in a block.
    writeFileSync(
      file,
      Uint8Array.from({ length: 5 + ggmlBytes(type, shape)! }, (_, i) => (i % 2 === 0 ? i * 37 : 0x30 + (i % 7))),
    )
    const source = { kind: 'blocks', dtype: 'F32', shape, file, byteStart: 5, type } as const
    expect(reader.mismatch(source, [64, 1000])).toBeUndefined()
    expect(reader.mismatch(matrixSource(source, { index: 1, rowStart: 1, rowCount: 2 })!, [100])).toBeUndefined()
  })

  it('reads more than its working memory', () => {
    const shape = [10, 8192]
    const values = Float32Array.from({ length: 81_920 }, (_, i) => Math.sin(i))
    const blocks = new Uint8Array(ggmlBytes('Q8_0', shape)!)
    createBlockEncoder('Q8_0')(values, blocks)
    const file = join(reader.folder, 'large')
    writeFileSync(file, blocks)
    const source = { kind: 'blocks', dtype: 'F32', shape, file, byteStart: 0, type: 'Q8_0' } as const
    expect(reader.mismatch(source, [])).toBeUndefined()
    expect(reader.mismatch({ kind: 'halves', dtype: 'F32', shape, source, heads: 1 }, [70_000])).toBeUndefined()
  })
})

describe('halves', () => {
  it('puts rows that were interleaved by head one half behind the other', () => {
    const rows = reader.tensor(
      'BF16',
      [8, 3],
      Array.from({ length: 24 }, (_, i) => Math.floor(i / 3)),
    )
    const source = { kind: 'halves', dtype: 'BF16', shape: [8, 3], source: rows, heads: 2 } as const
    expect(reader.read(source).filter((_, i) => i % 3 === 0)).toEqual([0, 2, 1, 3, 4, 6, 5, 7])
    expect(reader.mismatch(source)).toBeUndefined()
    const vector = {
      kind: 'halves',
      dtype: 'F32',
      shape: [4],
      source: reader.tensor('F32', [4], [0, 1, 2, 3]),
      heads: 1,
    } as const
    expect(reader.read(vector)).toEqual([0, 2, 1, 3])
  })
})
