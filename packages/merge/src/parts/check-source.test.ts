import type { TensorSource } from '@mk/source'
import { expect, test } from 'vitest'
import { checkSource } from './check-source.ts'

const file = (...shape: readonly number[]) => ({ kind: 'file', file: '/w', dtype: 'F32', shape, byteStart: 0 }) as const
const crop = (shape: readonly number[], more: object = {}) => ({
  kind: 'crop',
  dtype: 'F32',
  shape,
  source: file(3, 4),
  ...more,
})
const halves = (rows: number, heads: number, more: object = {}) => ({
  kind: 'halves',
  dtype: 'F32',
  shape: [rows, 4],
  source: file(rows, 4),
  heads,
  ...more,
})
const gather = (segments: readonly object[], more: object = {}) => ({
  kind: 'gather',
  dtype: 'F32',
  shape: [3, 4],
  sources: [file(2, 4), file(5, 2, 2)],
  segments,
  ...more,
})
const copy = (source: number, row: number, rowCount: number) => ({ kind: 'copy', source, row, rowCount })
const zero = (rowCount: number) => ({ kind: 'zero', rowCount })
const mean = (...of: readonly object[]) => ({ kind: 'mean', rowCount: 1, of })
const merged = { kind: 'merged', stage: 'x', tensor: 'w', dtype: 'F32' }
const values = (base64: string | undefined) => ({ kind: 'values', dtype: 'F32', shape: [2], ...(base64 && { base64 }) })

/** What is wrong with a source, if anything is. */
function problemOf(source: object): string | undefined {
  try {
    checkSource(source as TensorSource, {
      findMerged: ({ tensor }) => (tensor === 'w' ? { shape: [2, 2] } : undefined),
      refuse(problem) {
        throw new Error(problem)
      },
    })
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

test.each<[string, object]>([
  ['a cut, also of all', crop([3, 4])],
  ['a smaller one', crop([1, 2])],
  ['halves of two heads', halves(8, 2)],
  ['rows of two tensors', gather([copy(0, 0, 2), copy(1, 4, 1)])],
  ['rows of zeros and means', gather([zero(1), mean({ source: 0, row: 1 }, { source: 1, row: 4 }), zero(1)])],
  ['what another merge gives', { ...merged, shape: [2, 2] }],
  ['numbers', values('AAAAAAAAAAA=')],
  ['strides', { ...file(2, 2), kind: 'strided', strides: [1, 2], elementOffset: 0 }],
])('%s fit', (_, source) => {
  expect(problemOf(source)).toBeUndefined()
})

test.each<[string, object]>([
  ['crop: it is larger than what it is cut from', crop([3, 5])],
  ['crop: it is larger than what it is cut from', crop([3])],
  ['crop: its dtype is not that of what it is cut from', crop([3, 4], { dtype: 'BF16' })],
  ['halves: its rows are no halves of heads', halves(6, 2)],
  ['halves: its rows are no halves of heads', halves(8, 2, { shape: [8, 2] })],
  ['gather: a source lacks a row', gather([copy(0, 1, 2), zero(1)])],
  ['gather: a source lacks a row', gather([copy(2, 0, 1), zero(2)])],
  ['gather: a source lacks a row', gather([copy(0, 0, 2), zero(1)], { sources: [file(2, 3)] })],
  ['gather: a source lacks a row', gather([mean({ source: 0, row: 2 }), zero(2)])],
  ['gather: its parts have not as many rows as it', gather([copy(0, 0, 2)])],
  ['merged: no merge before it has such a tensor', { ...merged, shape: [4] }],
  ['merged: no merge before it has such a tensor', { ...merged, shape: [2, 2], tensor: 'v' }],
  ['values: it has not as many bytes as elements', values('AAAA')],
  ['values: it has not as many bytes as elements', values(undefined)],
  ['strided: it has not one stride for each dimension', { ...file(2, 2), kind: 'strided', strides: [1] }],
  ['file: it is larger than any tensor', file(2 ** 30, 2 ** 22)],
  // Of what it is made of, too.
  ['crop: its dtype is not that of what it is cut from', halves(2, 1, { source: crop([2, 4], { dtype: 'F16' }) })],
])('a source of kind %s', (problem, source) => {
  expect(problemOf(source)).toBe(`a source of kind ${problem}`)
})
