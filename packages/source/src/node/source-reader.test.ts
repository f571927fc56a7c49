import { mkdtempSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Dtype, dtypeBytes, elementCount } from '@mk/safetensors'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DequantizedSource, GatherSource, LoraSource, StridedSource, TensorSource } from '../tensor-source.ts'
import { naiveRead, storedTensor, toNumbers } from './__fixtures__/naive.ts'
import { createSourceReader, type SourceReader } from './source-reader.ts'

let folder: string
let reader: SourceReader
let stored = 0
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'source-reader-'))
})
afterAll(() => rmSync(folder, { recursive: true }))
beforeEach(() => {
  reader = createSourceReader()
})
afterEach(() => reader.close())

const code = (value: string) => expect.objectContaining({ code: value })

/** Values that every float dtype holds exactly, and that differ from their neighbours. */
const values = (count: number, salt = 0) => Array.from({ length: count }, (_, i) => (((i + salt) * 7) % 29) - 14)
const tensor = (dtype: Dtype, shape: readonly number[], numbers = values(elementCount(shape), stored)) =>
  storedTensor(folder, `${stored++}`, dtype, shape, numbers)

function read(source: TensorSource, start = 0, count = elementCount(source.shape) - start): number[] {
  const bytes = dtypeBytes(source.dtype)
  // Not aligned, and with a guard on both sides.
  const buffer = new Uint8Array(count * bytes + 2).fill(0x5a)
  reader.read(source, start, count, buffer.subarray(1, 1 + count * bytes))
  expect([buffer[0], buffer.at(-1)]).toEqual([0x5a, 0x5a])
  return toNumbers(source.dtype, buffer.slice(1, -1))
}

/** The first element that isn't as expected; without the diff of `toEqual`, which takes minutes for long lists. */
function difference(found: readonly number[], expected: readonly number[]): string | undefined {
  if (found.length !== expected.length) return `${found.length} elements instead of ${expected.length}`
  const at = expected.findIndex((value, i) => !Object.is(value, found[i]))
  return at < 0 ? undefined : `${found[at]} instead of ${expected[at]} at ${at}`
}

/** Reads all of it, then in parts of several sizes, and compares with the naive reading. */
function mismatch(source: TensorSource, parts = [1, 3, 7, 64, 1000]): string | undefined {
  const all = naiveRead(source)
  const readInParts = (part: number) =>
    Array.from({ length: Math.ceil(all.length / part) }, (_, i) =>
      read(source, i * part, Math.min(part, all.length - i * part)),
    ).flat()
  const feasible = parts.filter((part) => part < all.length && all.length / part <= 500)
  return [read(source), ...feasible.map(readInParts)]
    .map((found) => difference(found, all))
    .find((found) => found !== undefined)
}

describe('file', () => {
  it.each(['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'U8', 'I32'] as const)('reads %s at any place', (dtype) => {
    expect(mismatch(tensor(dtype, [5, 7], values(35).map(Math.abs)))).toBeUndefined()
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
    expect(() => reader.read(source, 3, 2, new Uint8Array(8))).toThrow(RangeError)
    expect(() => reader.read(source, 0, 2, new Uint8Array(12))).toThrow(RangeError)
  })
})

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

describe('gather', () => {
  const gather = (
    dtype: Dtype,
    sources: TensorSource[],
    columns: number,
    segments: GatherSource['segments'],
  ): GatherSource => ({
    kind: 'gather',
    dtype,
    shape: [segments.reduce((rows, { rowCount }) => rows + rowCount, 0), columns],
    sources,
    segments,
  })
  const copy = (source: number, row: number, rowCount = 1) => ({ kind: 'copy', source, row, rowCount }) as const

  it('puts rows together, mixing sources, means, zeros and the mean of the others', () => {
    for (const dtype of ['F32', 'BF16', 'F16'] as const) {
      const sources = [tensor(dtype, [6, 5]), tensor(dtype, [4, 5])]
      expect(
        mismatch(
          gather(dtype, sources, 5, [
            copy(0, 0),
            copy(0, 1),
            copy(1, 2, 2),
            copy(0, 5),
            copy(0, 0),
            {
              kind: 'mean',
              rowCount: 3,
              of: [
                { source: 0, row: 1 },
                { source: 1, row: 0 },
                { source: 1, row: 3 },
              ],
            },
            { kind: 'zero', rowCount: 2 },
            { kind: 'mean-of-others', rowCount: 2 },
            { kind: 'mean', rowCount: 1, of: [{ source: 0, row: 4 }] },
          ]),
        ),
      ).toBeUndefined()
    }
  })

  it('keeps the bytes of rows in its own dtype, even of a NaN', () => {
    const source = tensor('BF16', [2, 2])
    const { file, byteStart } = tensor('U16', [4], [0x7fa1, 0xffff, 0x8000, 0x0001])
    const into = new Uint8Array(4)
    reader.read(gather('BF16', [{ ...source, file, byteStart }], 2, [copy(0, 1), copy(0, 0)]), 2, 2, into)
    expect([...new Uint16Array(into.buffer)]).toEqual([0x7fa1, 0xffff])
  })

  it('converts rows of another dtype', () => {
    expect(
      mismatch(gather('F32', [tensor('BF16', [3, 4]), tensor('F64', [3, 4])], 4, [copy(0, 1, 2), copy(1, 0)])),
    ).toBeUndefined()
    expect(
      mismatch(
        gather(
          'BF16',
          [
            tensor(
              'F32',
              [3, 4],
              values(12).map((value) => value + 1 / 3),
            ),
          ],
          4,
          [copy(0, 1, 2)],
        ),
      ),
    ).toBeUndefined()
  })

  it('takes means in float64 and rounds once', () => {
    // Half an ulp of bfloat16 above 1, and a little more that float32 cannot hold.
    const source = tensor('F64', [2, 1], [1 + 2 ** -7, 1 + 2 ** -39])
    const mean = gather('BF16', [source], 1, [
      {
        kind: 'mean',
        rowCount: 1,
        of: [
          { source: 0, row: 0 },
          { source: 0, row: 1 },
        ],
      },
    ])
    expect(read(mean)).toEqual([1 + 2 ** -7])
    const below = gather('BF16', [tensor('F64', [1, 1], [-(1 + 3 * 2 ** -8 - 2 ** -40)])], 1, [
      { kind: 'mean', rowCount: 1, of: [{ source: 0, row: 0 }] },
    ])
    expect(read(below)).toEqual([-(1 + 2 ** -7)])
  })

  it('takes the mean of no rows as zeros', () => {
    expect(
      read(
        gather('F32', [], 2, [
          { kind: 'mean-of-others', rowCount: 2 },
          { kind: 'mean', rowCount: 1, of: [] },
        ]),
      ),
    ).toEqual([0, 0, 0, 0, 0, 0])
  })

  it('reads the other rows once for their mean, though the source comes as a copy', () => {
    const source = tensor('F32', [4, 3])
    const others = gather('F32', [source], 3, [copy(0, 0, 4), { kind: 'mean-of-others', rowCount: 1 }])
    const first = read(others, 12)
    truncateSync(source.file, 0)
    expect(read(structuredClone(others), 12)).toEqual(first)
  })

  it('reads rows longer than its working memory, and many of them', () => {
    const long = tensor('F32', [2, 50_000])
    const mean = {
      kind: 'mean',
      rowCount: 1,
      of: [
        { source: 0, row: 0 },
        { source: 0, row: 1 },
      ],
    } as const
    expect(
      mismatch(gather('F32', [long], 50_000, [copy(0, 1), mean, { kind: 'mean-of-others', rowCount: 1 }]), [40_000]),
    ).toBeUndefined()
    const many = tensor('F32', [30_000, 3])
    const reversed = Array.from({ length: 30_000 }, (_, i) => copy(0, 29_999 - i))
    expect(
      mismatch(gather('BF16', [many], 3, [...reversed, { kind: 'mean-of-others', rowCount: 1 }]), [7_000]),
    ).toBeUndefined()
  })
})

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

describe('dequantized', () => {
  const dequantized = (
    shape: number[],
    block: [number, number],
    { inverse = false, dtype = 'F32' as Dtype } = {},
  ): DequantizedSource => {
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
      inverse,
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
    expect(mismatch(dequantized([...shape], [...block], { inverse: true, dtype: 'BF16' }))).toBeUndefined()
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
      inverse: false,
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
