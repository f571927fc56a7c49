import type { TensorSource } from '@mk/source'
import { expect, test } from 'vitest'
import { extentsOf } from './source-extents.ts'

const gap = 2 ** 16
const file = (byteStart: number, shape: readonly number[], more: object = {}): TensorSource =>
  ({ kind: 'file', file: '/a', dtype: 'F32', byteStart, shape, ...more }) as TensorSource
const strided = (shape: readonly number[], strides: readonly number[], elementOffset = 0) =>
  file(100, shape, { kind: 'strided', strides, elementOffset })
const extents = (...sources: readonly TensorSource[]) =>
  [...extentsOf(sources)].map(([path, found]) => [path, ...found.map(({ start, end }) => [start, end])])

test('the bytes of sources are those of their elements', () => {
  expect(extents(file(8, [2, 3]))).toEqual([['/a', [8, 32]]])
  expect(extents(file(8, [2, 3], { dtype: 'BF16' }))).toEqual([['/a', [8, 20]]])
  expect(extents(file(8, []))).toEqual([['/a', [8, 12]]])
  // Every second row of five elements, from the third element on: 2 + 1 * 10 + 4 is the last.
  expect(extents(strided([2, 5], [10, 1], 2))).toEqual([['/a', [108, 168]]])
  expect(extents(strided([3, 2], [1, 3]))).toEqual([['/a', [100, 124]]])
  expect(extents(file(8, [2, 32], { kind: 'blocks', type: 'Q8_0' }))).toEqual([['/a', [8, 8 + 2 * 34]]])
  expect(extents({ kind: 'crop', dtype: 'F32', shape: [1], source: file(8, [2]) } as TensorSource)).toEqual([
    ['/a', [8, 16]],
  ])
})

test('bytes without any are none', () => {
  expect(extents(file(8, [0, 3]))).toEqual([['/a']])
  expect(extents(strided([0, 2], [2, 1]))).toEqual([['/a']])
})

test('bytes that are near are read together, in order, by file', () => {
  const at = (byteStart: number) => file(byteStart, [1])
  expect(extents(at(gap + 4), at(0))).toEqual([['/a', [0, gap + 8]]])
  expect(extents(at(gap + 5), at(0))).toEqual([['/a', [0, 4], [gap + 5, gap + 9]]])
  expect(extents(file(0, [100]), at(8))).toEqual([['/a', [0, 400]]])
  expect(extents(at(0), file(0, [1], { file: '/b' }), at(4))).toEqual([
    ['/a', [0, 8]],
    ['/b', [0, 4]],
  ])
})
