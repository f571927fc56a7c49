import { expect, it } from 'vitest'
import type { DequantizedSource } from '../../tensor-source.ts'
import { useReader, values } from '../__fixtures__/use-reader.ts'

const { tensor, mismatch, read } = useReader()

const positive = (count: number, salt: number) => values(count, salt).map((value) => (Math.abs(value) + 1) / 4)
/** Codes of some rows, scaled by groups that columns are listed in, or each column by its own. */
const scaled = (
  [rows, columns]: readonly [number, number],
  { blockRows = 1, groupCount }: { readonly blockRows?: number; readonly groupCount?: number } = {},
): DequantizedSource => {
  const grid = [Math.ceil(rows / blockRows), groupCount ?? columns]
  const all = grid[0]! * grid[1]!
  return {
    kind: 'dequantized',
    dtype: 'F32',
    shape: [rows, columns],
    source: tensor('F32', [rows, columns]),
    scale: tensor('F32', grid, positive(all, 1)),
    zero: tensor('F32', grid, values(all, 2)),
    bias: tensor('F32', grid, values(all, 3)),
    blockRows,
    blockColumns: 1,
    ...(groupCount !== undefined && {
      groups: tensor(
        'I32',
        [columns],
        Array.from({ length: columns }, (_, column) => (column * 7 + 2) % groupCount),
      ),
    }),
  }
}

it.each([
  ['each by its own scale', {}],
  ['of two rows by one scale each', { blockRows: 2 }],
  ['by the groups that they are listed in', { groupCount: 3 }],
  ['of four rows by groups', { groupCount: 5, blockRows: 4 }],
] as const)('scales columns %s', (_, options) => {
  const source = scaled([7, 10], options)
  expect(mismatch(source)).toBeUndefined()
  expect(mismatch({ ...source, divides: true })).toBeUndefined()
  expect(mismatch({ ...source, factor: 0.1, dtype: 'BF16' })).toBeUndefined()
  const { zero: _zero, bias: _bias, ...plain } = source
  expect(mismatch(plain)).toBeUndefined()
  expect(mismatch({ ...plain, bias: 0.1, factor: 3 })).toBeUndefined()
})

it('scales columns by one scale, and those of a single row', () => {
  const { scale: _, bias: _bias, ...source } = scaled([4, 6])
  expect(mismatch({ ...source, scale: 0.25 })).toBeUndefined()
  expect(mismatch(scaled([1, 6]))).toBeUndefined()
  const groups = tensor('I32', [6], Array(6).fill(0))
  const { zero: _zero, ...bare } = source
  expect(read({ ...bare, scale: 2, groups })).toEqual(read(source.source).map((value) => value * 2))
})

it('scales a single number, and by a single scale', () => {
  const one = { kind: 'dequantized', dtype: 'F32', shape: [], source: tensor('F32', [], [3]), blockRows: 1 } as const
  for (const blockColumns of [1, 2]) {
    expect(read({ ...one, scale: 0.5, blockColumns })).toEqual([1.5])
    expect(read({ ...one, scale: tensor('F32', [], [4]), zero: tensor('F32', [], [1]), blockColumns })).toEqual([8])
  }
  const { zero: _zero, bias: _bias, ...row } = scaled([1, 3])
  const groups = tensor('I32', [3], [0, 0, 0])
  expect(read({ ...row, scale: tensor('F32', [], [2]), groups })).toEqual(read(row.source).map((value) => value * 2))
  const beyond = { ...row, scale: tensor('F32', [], [2]), groups: tensor('I32', [3], [0, 1, 0]) }
  expect(() => read(beyond)).toThrow(expect.objectContaining({ code: 'group-out-of-range' }))
  expect(() => read({ ...beyond, scale: 2 })).toThrow(expect.objectContaining({ code: 'group-out-of-range' }))
})

it('reads a single code', () => {
  const code = { kind: 'packed', dtype: 'F32', shape: [], bits: 8, along: 'columns' } as const
  expect(read({ ...code, words: tensor('U8', [], [7]), values: { kind: 'integers', offset: -3 } })).toEqual([4])
})

it('scales more rows than there is room for scales', () => {
  expect(mismatch(scaled([40, 1000], { groupCount: 500 }), [3001])).toBeUndefined()
  expect(mismatch(scaled([40, 1000], { blockRows: 2 }), [7001])).toBeUndefined()
})

it('scales more columns than there is room for', () => {
  expect(mismatch(scaled([2, 2 ** 16 + 5]), [2 ** 16 - 1, 2 ** 16 + 1])).toBeUndefined()
  expect(mismatch(scaled([2, 2 ** 16 + 5], { groupCount: 3 }), [2 ** 16 - 1, 2 ** 16 + 1])).toBeUndefined()
  expect(mismatch(scaled([2, 2 ** 16], { groupCount: 3 }), [2 ** 16 - 1])).toBeUndefined()
})

it.each([
  [0, 3],
  [4, -1],
  [2 ** 16 + 1, 3],
])('names a column (%d) of a group (%d) that there isn’t', (column, group) => {
  const columns = 2 ** 16 + 5
  const groups = tensor(
    'I32',
    [columns],
    Array.from({ length: columns }, (_, at) => (at === column ? group : at % 3)),
  )
  const source = { ...scaled([1, columns], { groupCount: 3 }), groups }
  expect(() => read(source)).toThrow(
    expect.objectContaining({ issue: { code: 'group-out-of-range', file: groups.file, column, group, groupCount: 3 } }),
  )
})
