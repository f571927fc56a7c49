import { truncateSync } from 'node:fs'
import type { Dtype } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import type { GatherSource, TensorSource } from '../../tensor-source.ts'
import { useReader, values } from '../__fixtures__/use-reader.ts'

const using = useReader()
const { tensor, read, mismatch } = using

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
    using.reader.read(gather('BF16', [{ ...source, file, byteStart }], 2, [copy(0, 1), copy(0, 0)]), 2, 2, into)
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

  it('keeps means of float64 as they are, over more elements than are read at once', () => {
    const columns = 2 ** 15 + 3
    const source = tensor('F64', [3, columns])
    const of = [0, 2].map((row) => ({ source: 0, row }))
    const mean = gather('F64', [source], columns, [copy(0, 0, 3), { kind: 'mean', rowCount: 1, of }])
    const all = read(source)
    expect(read(mean, 3 * columns)).toEqual(
      Array.from({ length: columns }, (_, column) => (all[column]! + all[2 * columns + column]!) / 2),
    )
    const others = gather('F64', [source], columns, [copy(0, 0, 3), { kind: 'mean-of-others', rowCount: 1 }])
    expect(read(others, 3 * columns, 4)).toEqual(
      [0, 1, 2, 3].map((column) => (all[column]! + all[columns + column]! + all[2 * columns + column]!) / 3),
    )
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
