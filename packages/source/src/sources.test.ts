import { expect, it } from 'vitest'
import {
  cropSource,
  type FileSource,
  gatherSource,
  sourceFiles,
  storedDtype,
  type TensorSource,
  transposedSource,
} from './index.ts'

const file = (name: string): TensorSource => ({ kind: 'file', file: name, byteStart: 0, dtype: 'BF16', shape: [4, 6] })
const adapted: TensorSource = {
  kind: 'lora',
  dtype: 'F32',
  shape: [4, 6],
  source: file('w'),
  a: file('a'),
  b: file('b'),
  scale: 1,
  transposed: false,
}

it('takes a sub-matrix, and the source itself where that is all of it', () => {
  expect(cropSource(file('w'), [2, 6])).toEqual({ kind: 'crop', dtype: 'BF16', shape: [2, 6], source: file('w') })
  const whole = file('w')
  expect(cropSource(whole, [4, 6])).toBe(whole)
})

it('lists each file once, in order of first use', () => {
  expect(sourceFiles([cropSource(adapted, [1, 6]), file('b'), file('z')])).toEqual(['w', 'a', 'b', 'z'])
})

const gathered = (...sources: readonly TensorSource[]): TensorSource => ({
  kind: 'gather',
  dtype: 'F32',
  shape: [4, 6],
  sources,
  segments: [],
})
const codes = (values: object): TensorSource =>
  ({
    kind: 'packed',
    dtype: 'F32',
    shape: [4, 6],
    words: file('words'),
    bits: 4,
    places: [0, 1],
    values,
  }) as unknown as TensorSource

it('lists the files of all parts of a source', () => {
  expect(sourceFiles([gathered(file('x'), adapted)])).toEqual(['x', 'w', 'a', 'b'])
  expect(sourceFiles([codes({ kind: 'integers', offset: 0 })])).toEqual(['words'])
  expect(sourceFiles([codes({ kind: 'stored', table: file('table') })])).toEqual(['words', 'table'])
})

it('tells the dtype that was stored in what is gathered by that of its first part', () => {
  expect(storedDtype(gathered(file('x'), codes({ kind: 'integers', offset: 0 })), 'F16')).toBe('BF16')
  expect(storedDtype(gathered(codes({ kind: 'integers', offset: 0 }), file('x')), 'F16')).toBe('F16')
  expect(storedDtype(gathered(), 'F16')).toBe('F32')
})

it('swaps the last two dimensions, also of what is strided', () => {
  const stored = { ...(file('w') as FileSource), shape: [2, 4, 6] }
  const once = transposedSource(stored)
  expect(once).toMatchObject({ kind: 'strided', shape: [2, 6, 4], strides: [24, 1, 6], elementOffset: 0 })
  expect(transposedSource({ ...once, elementOffset: 7 })).toMatchObject({
    shape: [2, 4, 6],
    strides: [24, 6, 1],
    elementOffset: 7,
  })
  expect(() => transposedSource({ ...stored, shape: [6] })).toThrow('has no rows and columns to swap')
})

it('tells the dtype that was stored, below crops and adapters', () => {
  expect(storedDtype(cropSource(adapted, [1, 6]), 'F16')).toBe('BF16')
  const scaled: TensorSource = {
    kind: 'dequantized',
    dtype: 'F32',
    shape: [4, 6],
    source: file('w'),
    scale: file('s'),
    blockRows: 1,
    blockColumns: 6,
  }
  expect(storedDtype(scaled, 'F16')).toBe('F16')
  expect(sourceFiles([scaled])).toEqual(['w', 's'])
})

it('gathers rows from the sources that are used, numbered anew in order of first use', () => {
  const asked: number[] = []
  const gathered = gatherSource({
    dtype: 'BF16',
    shape: [8, 6],
    segments: [
      { kind: 'copy', rowCount: 2, source: 7, row: 1 },
      {
        kind: 'mean',
        rowCount: 1,
        of: [
          { source: 2, row: 0 },
          { source: 7, row: 3 },
        ],
      },
      { kind: 'zero', rowCount: 3 },
      { kind: 'copy', rowCount: 2, source: 2, row: 0 },
    ],
    sourceOf(source) {
      asked.push(source)
      return file(`w${source}`)
    },
  })
  expect(asked).toEqual([7, 2])
  expect(gathered).toEqual({
    kind: 'gather',
    dtype: 'BF16',
    shape: [8, 6],
    sources: [file('w7'), file('w2')],
    segments: [
      { kind: 'copy', rowCount: 2, source: 0, row: 1 },
      {
        kind: 'mean',
        rowCount: 1,
        of: [
          { source: 1, row: 0 },
          { source: 0, row: 3 },
        ],
      },
      { kind: 'zero', rowCount: 3 },
      { kind: 'copy', rowCount: 2, source: 1, row: 0 },
    ],
  })
})
