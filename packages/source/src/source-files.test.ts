import { expect, test } from 'vitest'
import { mergedSources, sourceFiles } from './source-files.ts'
import type { TensorSource } from './tensor-source.ts'

const file = (name: string): TensorSource => ({ kind: 'file', dtype: 'F32', shape: [2, 2], file: name, byteStart: 0 })
const merged = (stage: string, tensor: string) =>
  ({ kind: 'merged', dtype: 'F32', shape: [2, 2], stage, tensor, storedAs: 'F32' }) as const
const dequantized = {
  kind: 'dequantized',
  dtype: 'F32',
  shape: [2, 2],
  source: {
    kind: 'packed',
    dtype: 'F32',
    shape: [2, 2],
    words: file('words'),
    bits: 4,
    along: 'columns',
    values: { kind: 'stored', table: file('table') },
  },
  scale: file('scale'),
  zero: file('zero'),
  groups: file('groups'),
  bias: 1,
  blockRows: 1,
  blockColumns: 1,
} as unknown as TensorSource
const all: readonly TensorSource[] = [
  {
    kind: 'lora',
    dtype: 'F32',
    shape: [2, 2],
    source: file('w'),
    a: file('a'),
    b: file('b'),
  } as unknown as TensorSource,
  { kind: 'crop', dtype: 'F32', shape: [1, 2], source: file('w') } as unknown as TensorSource,
  { kind: 'gather', dtype: 'F32', shape: [2, 2], sources: [file('g'), merged('s', 'x')] } as unknown as TensorSource,
  dequantized,
  { kind: 'values', dtype: 'F32', shape: [1] } as unknown as TensorSource,
  { kind: 'blocks', dtype: 'F32', shape: [2, 2], file: 'q', byteStart: 0, type: 'Q8_0' } as TensorSource,
]

test('the files of sources are listed once, whatever lies over them', () => {
  expect(sourceFiles(all)).toEqual(['w', 'a', 'b', 'g', 'words', 'table', 'scale', 'groups', 'zero', 'q'])
  expect(sourceFiles([merged('s', 'x')])).toEqual([])
})

test('so are tensors of other merges, which two merges may call alike', () => {
  expect(mergedSources(all)).toEqual([merged('s', 'x')])
  const several = [merged('s', 'x'), merged('t', 'x'), { ...merged('s', 'x') }, merged('s', 'y')]
  expect(mergedSources(several)).toEqual([several[0], several[1], several[3]])
  expect(mergedSources([file('a')])).toEqual([])
})
