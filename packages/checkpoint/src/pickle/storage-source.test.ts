import { describe, expect, test } from 'vitest'
import type { PickleTensor } from './machine/pickle-value.ts'
import { sourceOfTensor, storageElementBytes } from './storage-source.ts'

const tensor = (
  {
    shape,
    strides,
    elementOffset = 0,
  }: { shape: readonly number[]; strides: readonly number[]; elementOffset?: number },
  storage: { elementCount: number; viewOffset?: number; type?: string },
  type = 'torch.FloatStorage',
) =>
  ({
    type,
    shape,
    strides,
    elementOffset,
    storage: { key: '0', type: 'torch.FloatStorage', viewOffset: 0, ...storage },
  }) as unknown as PickleTensor
const source = (one: PickleTensor, bytes = 100) =>
  sourceOfTensor('f', 'w', one, new Map([['0', { byteStart: 1000, byteEnd: 1000 + bytes }]]))
const expectRefusal = (one: PickleTensor, code: string, issue: object, bytes?: number) =>
  expect(() => source(one, bytes)).toThrow(expect.objectContaining({ code, issue: expect.objectContaining(issue) }))

test.each([
  ['torch.ComplexFloatStorage', 8],
  ['torch.ComplexDoubleStorage', 16],
  ['torch.FloatStorage', 4],
  ['torch.HalfStorage', 2],
  ['torch.UntypedStorage', 1],
  ['torch.QUInt8Storage', undefined],
])('an element of a %s has %s bytes', (type, bytes) => {
  expect(storageElementBytes(type)).toBe(bytes)
})

describe('a tensor', () => {
  test.each([
    [
      [2, 3],
      [3, 1],
    ],
    [
      [2, 1, 3],
      [3, 99, 1],
    ],
    [[6], [1]],
    [[1], [7]],
    [[], []],
  ])('of shape %j and strides %j is a range of the file', (shape, strides) => {
    expect(source(tensor({ shape, strides, elementOffset: 2 }, { elementCount: 10, viewOffset: 3 }))).toEqual({
      kind: 'file',
      dtype: 'F32',
      shape,
      file: 'f',
      byteStart: 1000 + 4 * (3 + 2),
    })
  })

  test.each([
    [
      [2, 3],
      [1, 2],
    ],
    [
      [2, 3],
      [4, 1],
    ],
    [[3], [2]],
  ])('of shape %j and strides %j is a view', (shape, strides) => {
    expect(source(tensor({ shape, strides, elementOffset: 1 }, { elementCount: 10, viewOffset: 3 }))).toEqual({
      kind: 'strided',
      dtype: 'F32',
      shape,
      file: 'f',
      byteStart: 1012,
      elementOffset: 1,
      strides,
    })
  })

  test('may end where its storage does, and not behind it', () => {
    const view = (elementCount: number, elementOffset = 0) =>
      tensor({ shape: [2, 3], strides: [4, 1], elementOffset }, { elementCount })
    expect(source(view(7)).kind).toBe('strided')
    expectRefusal(view(6), 'pickle-tensor-outside', { elementEnd: 7, elementCount: 6 })
    expect(source(view(8, 1)).kind).toBe('strided')
    expectRefusal(view(7, 1), 'pickle-tensor-outside', { elementEnd: 8, elementCount: 7 })
    const empty = (elementOffset: number) =>
      tensor({ shape: [0, 3], strides: [3, 1], elementOffset }, { elementCount: 4 })
    expect(source(empty(4)).kind).toBe('file')
    const scattered = tensor({ shape: [0, 3], strides: [7, 2] }, { elementCount: 4 })
    expect(source(scattered).kind).toBe('file')
    const single = tensor({ shape: [1, 1], strides: [7, 2] }, { elementCount: 4 })
    expect(source(single).kind).toBe('file')
    expectRefusal(empty(5), 'pickle-tensor-outside', { elementEnd: 5, elementCount: 4 })
  })

  test('has a storage that is in the file', () => {
    const of = (elementCount: number, viewOffset: number) =>
      tensor({ shape: [1], strides: [1] }, { elementCount, viewOffset })
    expect(source(of(20, 5)).kind).toBe('file')
    expectRefusal(of(21, 5), 'pickle-storage-outside', { key: '0', bytes: 104, available: 100 })
    expectRefusal(of(20, 6), 'pickle-storage-outside', { bytes: 104 })
    expectRefusal(of(20, 5), 'pickle-storage-outside', { bytes: 100, available: 99 }, 99)
    expect(() => sourceOfTensor('f', 'w', of(1, 0), new Map())).toThrow(
      expect.objectContaining({ code: 'pickle-storage-missing' }),
    )
  })

  test('counts its elements in its own dtype, where the storage has another', () => {
    const one = (count: number) =>
      tensor({ shape: [count], strides: [1] }, { elementCount: 11, type: 'torch.UntypedStorage' }, 'torch.FloatStorage')
    expect(source(one(2)).shape).toEqual([2])
    expectRefusal(one(3), 'pickle-tensor-outside', { elementEnd: 3, elementCount: 2 })
  })

  test('has a dtype, and a size that can be counted', () => {
    expectRefusal(tensor({ shape: [1], strides: [1] }, { elementCount: 1 }, 'torch.QUInt8Storage'), 'pickle-dtype', {
      tensor: 'w',
      found: 'torch.QUInt8Storage',
    })
    const complex = { elementCount: 1, type: 'torch.QUInt8Storage' }
    expectRefusal(tensor({ shape: [1], strides: [1] }, complex), 'pickle-dtype', { found: 'torch.FloatStorage' })
    const large = [2 ** 26, 2 ** 26]
    expectRefusal(tensor({ shape: large, strides: [0, 0] }, { elementCount: 1 }), 'pickle-tensor-size', {
      shape: large,
    })
    expect(source(tensor({ shape: [2 ** 25, 2 ** 25], strides: [0, 0] }, { elementCount: 1 })).kind).toBe('strided')
  })
})
