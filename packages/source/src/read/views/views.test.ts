import type { Dtype } from '@mk/safetensors'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { StridedSource } from '../../tensor-source.ts'
import { naiveRead } from '../__fixtures__/naive.ts'
import { difference, useReader } from '../__fixtures__/use-reader.ts'

const { tensor, read, mismatch } = useReader()

describe('strided', () => {
  const strided = (dtype: Dtype, shape: number[], strides: number[], elementOffset = 0): StridedSource => {
    const storage = elementOffset + shape.reduce((last, size, d) => last + (size - 1) * strides[d]!, 1)
    const { file, byteStart } = tensor(dtype, [storage])
    return { kind: 'strided', file, byteStart, dtype, shape, strides, elementOffset }
  }

  it.each([
    ['contiguous', [3, 4], [4, 1]],
    ['transposed', [3, 4], [1, 3]],
    ['rows of a wider matrix', [3, 4], [10, 1]],
    ['every other column', [3, 4], [8, 2]],
    ['one row for all', [3, 4], [0, 1]],
    ['one value for all', [3, 4], [0, 0]],
    ['permuted in three dimensions', [3, 4, 5], [5, 15, 1]],
    ['reversed in three dimensions', [3, 4, 5], [1, 3, 12]],
    ['dimensions of size 1', [1, 3, 1, 4, 1], [99, 4, 7, 1, 0]],
    ['overlapping rows', [3, 4], [1, 1]],
    ['a scalar', [], []],
  ])('reads %s', (_, shape, strides) => {
    for (const dtype of ['F32', 'BF16', 'F64', 'U8'] as const)
      expect(mismatch(strided(dtype, shape, strides, 5))).toBeUndefined()
  })

  it('reads columns that are longer than what is read at once', () => {
    for (const [shape, strides] of [
      [
        [140_000, 2],
        [1, 140_000],
      ],
      [
        [3, 70_000],
        [0, 3],
      ],
    ] as const)
      expect(mismatch(strided('F32', [...shape], [...strides], 1))).toBeUndefined()
  })

  it('reads any view', () => {
    const dimension = fc.record({ size: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 0, max: 9 }) })
    fc.assert(
      fc.property(
        fc.array(dimension, { maxLength: 4 }),
        fc.nat(5),
        fc.integer({ min: 1, max: 9 }),
        (dimensions, offset, part) => {
          expect(
            mismatch(
              strided(
                'F16',
                dimensions.map(({ size }) => size),
                dimensions.map(({ stride }) => stride),
                offset,
              ),
              [part],
            ),
          ).toBeUndefined()
        },
      ),
      { numRuns: 60 },
    )
  })

  it('reads a transposed matrix larger than its working memory', () => {
    const source = strided('F32', [300, 700], [1, 300])
    expect(difference(read(source), naiveRead(source))).toBeUndefined()
    expect(difference(read(source, 12_345, 67_890), naiveRead(source).slice(12_345, 12_345 + 67_890))).toBeUndefined()
  })

  it('reads lines that are far apart', () => {
    const source = strided('BF16', [5, 300, 3], [1, 5000, 5])
    expect(mismatch(source)).toBeUndefined()
  })

  it.each([1, 2, 3, 4])('reads columns that are far apart, %d of them', (columns) => {
    for (const stride of [1, 2]) {
      const source = strided('F32', [50, columns], [stride, 5000])
      expect([stride, mismatch(source)]).toEqual([stride, undefined])
    }
  })
})

describe('crop', () => {
  it.each([
    ['nothing', [4, 6], [4, 6]],
    ['rows', [4, 6], [3, 6]],
    ['columns', [4, 6], [4, 5]],
    ['both', [4, 6], [2, 1]],
    ['a vector', [9], [4]],
    ['the middle dimension', [3, 5, 4], [3, 2, 4]],
    ['all three dimensions', [3, 5, 4], [2, 4, 3]],
    ['to nothing', [3, 5], [0, 5]],
  ])('cuts %s', (_, full, shape) => {
    const source = tensor('BF16', full)
    expect(mismatch({ kind: 'crop', source, dtype: 'BF16', shape })).toBeUndefined()
  })

  it('cuts lines longer than its working memory', () => {
    const source = tensor('F32', [3, 100_000])
    expect(mismatch({ kind: 'crop', source, dtype: 'F32', shape: [2, 99_999] }, [70_000])).toBeUndefined()
  })
})
