import { expect, test } from 'vitest'
import { sourceBytes } from './source-bytes.ts'
import type { TensorSource } from './tensor-source.ts'

const stored = (dtype: 'BF16' | 'F32' | 'U8' | 'I32', shape: number[]): TensorSource => ({
  kind: 'file',
  file: 'a',
  byteStart: 0,
  dtype,
  shape,
})
const delivered = { dtype: 'F32' as const, shape: [4, 64] }

test.each<[string, TensorSource, number]>([
  ['as stored', stored('BF16', [4, 64]), 512],
  ['a view', { ...stored('F32', [4, 64]), kind: 'strided', elementOffset: 0, strides: [1, 4] } as TensorSource, 1024],
  ['blocks of a GGUF', { kind: 'blocks', file: 'a', byteStart: 0, type: 'Q8_0', ...delivered }, (4 * 64 * 34) / 32],
  ['the rows of a crop', { kind: 'crop', source: stored('BF16', [8, 64]), ...delivered }, 512],
  [
    'the rows that are gathered',
    {
      kind: 'gather',
      sources: [stored('BF16', [8, 64]), stored('F32', [8, 64])],
      segments: [
        { kind: 'copy', rowCount: 2, source: 0, row: 1 },
        { kind: 'mean', rowCount: 1, of: [{ source: 1, row: 0 }] },
        { kind: 'zero', rowCount: 1 },
      ],
      ...delivered,
    },
    2 * 64 * 2 + 64 * 4,
  ],
  [
    'weight and adapter',
    {
      kind: 'lora',
      source: stored('BF16', [4, 64]),
      a: stored('F32', [2, 64]),
      b: stored('F32', [4, 2]),
      scale: 1,
      transposed: false,
      ...delivered,
    },
    512 + 512 + 32,
  ],
  ['rows in another order', { kind: 'halves', source: stored('BF16', [4, 64]), heads: 1, ...delivered }, 512],
  [
    'packed codes with their table',
    {
      kind: 'packed',
      words: stored('U8', [4, 32]),
      bits: 4,
      along: 'columns',
      values: { kind: 'stored', table: stored('F32', [16]) },
      ...delivered,
    },
    128 + 64,
  ],
  [
    'codes with their scales',
    {
      kind: 'dequantized',
      source: stored('U8', [4, 64]),
      scale: stored('F32', [4, 1]),
      bias: 1,
      blockRows: 1,
      blockColumns: 64,
      ...delivered,
    },
    256 + 16,
  ],
  [
    'codes that stand for numbers without a table',
    {
      kind: 'packed',
      words: stored('U8', [4, 32]),
      bits: 4,
      along: 'columns',
      values: { kind: 'integers', offset: 0 },
      ...delivered,
    } as unknown as TensorSource,
    128,
  ],
  [
    'codes with all that they are scaled by',
    {
      kind: 'dequantized',
      source: stored('U8', [4, 64]),
      scale: 0.5,
      zero: stored('F32', [4, 2]),
      groups: stored('I32', [64]),
      bias: stored('BF16', [4, 2]),
      blockRows: 1,
      blockColumns: 32,
      ...delivered,
    },
    256 + 32 + 256 + 16,
  ],
  [
    'nothing of a source without elements',
    { kind: 'crop', source: stored('F32', [0, 64]), ...delivered, shape: [0, 64] },
    0,
  ],
  [
    'nothing for a merge, whose own sources are counted',
    { kind: 'merged', stage: 's', tensor: 't', storedAs: 'F32', ...delivered },
    0,
  ],
  [
    'rows of means and of nothing else',
    {
      kind: 'gather',
      sources: [stored('BF16', [8, 64])],
      segments: [
        {
          kind: 'mean',
          rowCount: 3,
          of: [
            { source: 0, row: 0 },
            { source: 0, row: 5 },
          ],
        },
        { kind: 'mean-of-others', rowCount: 1 },
      ],
      ...delivered,
    },
    2 * 64 * 2,
  ],
  ['nothing for what no file has', { kind: 'values', ...delivered }, 0],
])('counts %s', (_, source, bytes) => {
  expect(sourceBytes(source)).toBe(bytes)
})
