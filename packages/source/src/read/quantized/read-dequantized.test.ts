import { type Dtype, elementCount } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import type { DequantizedSource } from '../../tensor-source.ts'
import { useReader, values } from '../__fixtures__/use-reader.ts'

const { tensor, mismatch } = useReader()

describe('dequantized', () => {
  const dequantized = (shape: number[], block: [number, number], dtype: Dtype = 'F32'): DequantizedSource => {
    const [rows, columns] = [elementCount(shape.slice(0, -1)), shape.at(-1)!]
    const grid = [Math.ceil(rows / block[0]), Math.ceil(columns / block[1])]
    const scale = tensor(
      'F32',
      grid,
      values(elementCount(grid)).map((value) => (value || 20) / 8),
    )
    return {
      kind: 'dequantized',
      dtype,
      shape,
      source: tensor('F8_E4M3', shape),
      scale,
      blockRows: block[0],
      blockColumns: block[1],
    }
  }

  it.each([
    ['one scale for all', [6, 10], [6, 10]],
    ['a scale per row', [6, 10], [1, 10]],
    ['a scale per column', [6, 10], [6, 1]],
    ['a scale per block, the last ones partial', [7, 10], [3, 4]],
    ['a scale per block of stacked matrices', [2, 6, 10], [3, 4]],
    ['more blocks than fit its working memory', [2, 100_000], [1, 2]],
  ] as const)('multiplies by %s', (_, shape, block) => {
    expect(mismatch(dequantized([...shape], [...block]))).toBeUndefined()
    expect(mismatch(dequantized([...shape], [...block], 'BF16'))).toBeUndefined()
  })
})
