import { truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TensorSource } from '../tensor-source.ts'
import { createReaderOver } from './source-reader.ts'
import { useReader, values } from './__fixtures__/use-reader.ts'

const using = useReader()
const { tensor, read, mismatch, folder } = using
const code = (value: string) => expect.objectContaining({ code: value })

describe('file', () => {
  it.each(['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'U8', 'I32'] as const)('reads %s at any place', (dtype) => {
    expect(mismatch(tensor(dtype, [5, 7], values(35).map(Math.abs)))).toBeUndefined()
  })

  it('reads elements that are given, at any place, and none that are yet to be computed', () => {
    const base64 = Buffer.from(Float32Array.of(1, 2, 3).buffer).toString('base64')
    const given = { kind: 'values', dtype: 'F32', shape: [3] } as const
    expect(mismatch({ ...given, base64 })).toBeUndefined()
    expect(() => read(given)).toThrow('yet to be computed')
  })

  it('reads a scalar and an empty tensor', () => {
    expect(read(tensor('F32', [], [4]))).toEqual([4])
    expect(read(tensor('F32', [0, 3], []))).toEqual([])
  })

  it('names the file and the byte where a file has shrunk', () => {
    const source = tensor('F32', [8])
    read(source)
    truncateSync(source.file, 3 + 20)
    expect(() => read(source)).toThrow(code('file-ended'))
    expect(() => read(source)).toThrow(`${source.file}: ends at byte 23, but its tensors reach to byte 35`)
  })

  it('names a file that cannot be opened', () => {
    expect(() => read({ ...tensor('F32', [1]), file: join(folder, 'none') })).toThrow(code('unreadable-file'))
    expect(() => read({ ...tensor('F32', [1]), file: folder })).toThrow(code('unreadable-file'))
  })

  it('keeps reading more files than it keeps open', () => {
    const sources = Array.from({ length: 100 }, (_, i) => tensor('U8', [1], [i]))
    for (const _ of [1, 2]) expect(sources.map((source) => read(source)[0])).toEqual(sources.map((_, i) => i))
  })

  it('rejects a range outside the tensor and a buffer of another size', () => {
    const source = tensor('F32', [4])
    expect(() => using.reader.read(source, 3, 2, new Uint8Array(8))).toThrow(RangeError)
    expect(() => using.reader.read(source, 0, 2, new Uint8Array(12))).toThrow(RangeError)
  })
})

describe('a tensor of another merge', () => {
  const source: TensorSource = {
    kind: 'merged',
    dtype: 'F32',
    shape: [4],
    stage: 'inner',
    tensor: 'w',
    storedAs: 'BF16',
  }
  const files = { read: () => {}, close: () => {} }

  it('is computed by what the reader is given for that', () => {
    const asked: unknown[] = []
    const reader = createReaderOver(files, {
      readMerged: (one, start, count, into) => {
        asked.push([one, start, count])
        into.fill(7)
      },
    })
    const into = new Uint8Array(8)
    reader.read(source, 1, 2, into)
    expect([asked, [...into]]).toEqual([[[source, 1, 2]], Array(8).fill(7)])
  })

  it('is refused by one that is given nothing', () => {
    expect(() => createReaderOver(files).read(source, 0, 1, new Uint8Array(4))).toThrow(
      'nothing computes w of inner here',
    )
  })
})

describe('a range', () => {
  const source: TensorSource = { kind: 'file', dtype: 'F32', shape: [2, 3], file: 'f', byteStart: 5 }
  const reads: unknown[] = []
  const reader = createReaderOver({ read: (...given) => void reads.push(given), close: () => {} })

  it.each([
    [-1, 1, 'elements -1 to 0 of a tensor of shape [2, 3]'],
    [3, -1, 'elements 3 to 2 of a tensor of shape [2, 3]'],
    [5, 2, 'elements 5 to 7 of a tensor of shape [2, 3]'],
  ])('from %d of %d elements is outside', (start, count, message) => {
    expect(() => reader.read(source, start, count, new Uint8Array(Math.max(0, 4 * count)))).toThrow(message)
  })

  it('has a buffer of its size', () => {
    expect(() => reader.read(source, 0, 2, new Uint8Array(7))).toThrow(
      '2 elements of F32 take 8 bytes, the buffer has 7',
    )
  })

  it('without elements is not read, and the last elements are', () => {
    reader.read(source, 6, 0, new Uint8Array(0))
    expect(reads).toEqual([])
    reader.read(source, 4, 2, new Uint8Array(8))
    expect(reads).toEqual([['f', 5 + 16, new Uint8Array(8)]])
  })
})

describe.each(['one by one', 'at once'])('ranges, %s', (how) => {
  const source: TensorSource = { kind: 'file', dtype: 'F16', shape: [2, 8], file: 'f', byteStart: 5 }
  /** Bytes of the file are their places. */
  const readEach = (byteStart: number, into: Uint8Array) => into.forEach((_, i) => (into[i] = byteStart + i))
  const asked: unknown[] = []
  const reader = createReaderOver({
    read: (_, byteStart, into) => readEach(byteStart, into),
    ...(how === 'at once' && {
      readRanges(file: string, byteStart: number, elementBytes: number, parts: typeof ranges, into: Uint8Array) {
        let from = 0
        const places = parts.map(({ start, end }) => [byteStart + start * elementBytes, (end - start) * elementBytes])
        for (const [start, length] of places) readEach(start!, into.subarray(from, (from += length!)))
        asked.push([file, places])
      },
    }),
    close: () => {},
  })
  const ranges = [
    { start: 6, end: 7 },
    { start: 0, end: 2 },
  ]

  it('follow each other in the buffer', () => {
    const into = new Uint8Array(6)
    reader.readRanges(source, 4, ranges, into)
    expect([...into]).toEqual([25, 26, 13, 14, 15, 16])
    reader.readRanges({ kind: 'crop', dtype: 'F16', shape: [2, 6], source }, 2, ranges, into)
    expect([...into]).toEqual([25, 26, 9, 10, 11, 12])
    expect(asked).toEqual(
      how === 'at once'
        ? [
            [
              'f',
              [
                [25, 2],
                [13, 4],
              ],
            ],
          ]
        : [],
    )
  })

  it('are within the tensor, and the buffer is as long as they are', () => {
    for (const offset of [10, -1])
      expect(() => reader.readRanges(source, offset, ranges, new Uint8Array(6))).toThrow('a tensor of shape [2, 8]')
    const backwards = [{ start: 3, end: 2 }, ...ranges, { start: 0, end: 1 }]
    expect(() => reader.readRanges(source, 0, backwards, new Uint8Array(6))).toThrow('elements 3 to 2')
    expect(() => reader.readRanges(source, 0, ranges, new Uint8Array(7))).toThrow(RangeError)
    expect(() => reader.readRanges(source, 0, ranges, new Uint8Array(5))).toThrow(RangeError)
  })
})

describe('nested sources', () => {
  it('reads each kind inside the others', () => {
    const storage = tensor('F16', [200])
    const view: TensorSource = {
      kind: 'strided',
      file: storage.file,
      byteStart: storage.byteStart,
      dtype: 'F16',
      shape: [8, 6],
      strides: [1, 20],
      elementOffset: 2,
    }
    const lora: TensorSource = {
      kind: 'lora',
      dtype: 'F32',
      shape: [8, 6],
      source: view,
      a: tensor('F32', [2, 6]),
      b: tensor('F32', [8, 2]),
      scale: 2,
      transposed: false,
    }
    const fp8: TensorSource = {
      kind: 'dequantized',
      dtype: 'F32',
      shape: [9, 6],
      source: tensor('F8_E5M2', [9, 6]),
      scale: tensor('F32', [3, 2], [1, 2, 3, 4, 5, 6]),
      blockRows: 3,
      blockColumns: 4,
    }
    const gather: TensorSource = {
      kind: 'gather',
      dtype: 'F32',
      shape: [12, 6],
      sources: [lora, fp8],
      segments: [
        { kind: 'copy', rowCount: 3, source: 1, row: 6 },
        { kind: 'copy', rowCount: 6, source: 0, row: 1 },
        { kind: 'mean-of-others', rowCount: 2 },
        {
          kind: 'mean',
          rowCount: 1,
          of: [
            { source: 0, row: 0 },
            { source: 1, row: 0 },
          ],
        },
      ],
    }
    const crop: TensorSource = { kind: 'crop', dtype: 'F32', shape: [11, 5], source: gather }
    for (const source of [view, lora, fp8, gather, crop]) expect(mismatch(source)).toBeUndefined()
    expect(
      mismatch({
        kind: 'lora',
        dtype: 'F32',
        shape: [11, 5],
        source: crop,
        a: tensor('BF16', [1, 5]),
        b: tensor('BF16', [11, 1]),
        scale: 1,
        transposed: false,
      }),
    ).toBeUndefined()
  })
})
