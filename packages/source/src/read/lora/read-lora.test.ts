import { type Dtype, elementCount } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import type { LoraSource } from '../../tensor-source.ts'
import { naiveRead } from '../__fixtures__/naive.ts'
import { difference, useReader } from '../__fixtures__/use-reader.ts'

const { tensor, read, mismatch } = useReader()

describe('lora', () => {
  const lora = (
    shape: number[],
    rank: number,
    { transposed = false, dtype = 'BF16' as Dtype, scale = 0.5 } = {},
  ): LoraSource => {
    const [rows, columns] = [shape[0]!, elementCount(shape.slice(1))]
    const [outputs, inputs] = transposed ? [columns, rows] : [rows, columns]
    return {
      kind: 'lora',
      dtype: 'F32',
      shape,
      source: tensor(dtype, shape),
      a: tensor(dtype, [rank, inputs]),
      b: tensor(dtype, [outputs, rank]),
      scale,
      transposed,
    }
  }

  it.each([1, 2, 3, 4, 5, 8, 11])('adds a product of rank %d', (rank) => {
    expect(mismatch(lora([5, 7], rank))).toBeUndefined()
    expect(mismatch(lora([5, 7], rank, { transposed: true, dtype: 'F32', scale: 1 / 3 }))).toBeUndefined()
  })

  it('adds to the kernels of a convolution', () => {
    expect(mismatch(lora([4, 3, 2, 2], 3))).toBeUndefined()
  })

  it('works in pieces where the matrix, the factor or the rank is large', () => {
    for (const transposed of [false, true]) {
      for (const [shape, rank] of [
        [[90, 1500], 6],
        [[3, 40_000], 2],
        [[40_000, 2], 3],
        [[2, 2500], 500],
      ] as const) {
        const source = lora([...shape], rank, { transposed, dtype: 'F16' })
        expect(difference(read(source), naiveRead(source))).toBeUndefined()
      }
    }
  })

  it('gives the same bits however the range is cut', () => {
    const source = { ...lora([20, 3000], 7, { dtype: 'F32', scale: 0.1 }) }
    const whole = read(source)
    expect(difference([...read(source, 0, 31_001), ...read(source, 31_001)], whole)).toBeUndefined()
  })

  it('applies two adapters one after the other', () => {
    const first = lora([6, 9], 4)
    expect(mismatch({ ...lora([6, 9], 2), source: first })).toBeUndefined()
  })

  it('delivers another dtype where asked to', () => {
    expect(mismatch({ ...lora([5, 7], 3), dtype: 'BF16' })).toBeUndefined()
  })
})
