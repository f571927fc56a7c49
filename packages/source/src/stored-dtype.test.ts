import { expect, test } from 'vitest'
import { storedDtype } from './stored-dtype.ts'
import type { TensorSource } from './tensor-source.ts'

const delivered = { dtype: 'F32', shape: [4, 6] } as const
const file = { kind: 'file', file: 'w', byteStart: 0, dtype: 'BF16', shape: [4, 6] } as const
const of = (source: object) => ({ ...delivered, ...source }) as unknown as TensorSource

test.each<[string, TensorSource, string]>([
  ['a file', file, 'BF16'],
  ['a view', of({ kind: 'strided', dtype: 'F16' }), 'F16'],
  ['numbers that are given', of({ kind: 'values', dtype: 'I32' }), 'I32'],
  ['a merge that is read', of({ kind: 'merged', storedAs: 'F8_E4M3' }), 'F8_E4M3'],
  ['what is cut of another', of({ kind: 'crop', source: file }), 'BF16'],
  ['what has its rows in another order', of({ kind: 'halves', source: file }), 'BF16'],
  ['what an adapter is laid over', of({ kind: 'lora', source: file }), 'BF16'],
  ['what is gathered', of({ kind: 'gather', sources: [file] }), 'BF16'],
  ['blocks', of({ kind: 'blocks', type: 'Q8_0' }), 'F64'],
  ['codes', of({ kind: 'packed' }), 'F64'],
  ['codes that are scaled', of({ kind: 'dequantized', source: file }), 'F64'],
  ['what is cut of blocks', of({ kind: 'crop', source: of({ kind: 'blocks' }) }), 'F64'],
])('%s counts as having its dtype', (_, source, dtype) => {
  expect(storedDtype(source, 'F64')).toBe(dtype)
})
