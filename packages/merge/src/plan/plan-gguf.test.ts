import type { GgufModelPlan, GgufTensorPlan } from '@mk/gguf'
import type { Dtype } from '@mk/safetensors'
import { expect, test } from 'vitest'
import type { MergePlan, PlannedTensor } from './merge-plan.ts'
import { planGguf } from './plan-gguf.ts'

const tensor = (name: string, dtype: Dtype, shape: readonly number[]): PlannedTensor => {
  const source = { kind: 'file', dtype, shape, file: 'f', byteStart: 0 } as const
  return { name, dtype, shape, file: 0, byteStart: 0, operation: { kind: 'copy', input: { input: 0, name, source } } }
}
const planOf = (tensors: readonly PlannedTensor[]): MergePlan => ({
  version: 1,
  method: 'passthrough',
  seed: 0,
  inputs: [],
  files: [],
  tensors,
  documents: ['README.md', 'config.json', 'mergekit_config.yml'].map((name) => ({ name, text: '' })),
  copies: [{ name: 'tokenizer.json', from: 'a' }],
  notes: [],
  warnings: [],
})
const modelOf = (tensors: readonly GgufTensorPlan[]): GgufModelPlan => ({
  metadata: new Map(),
  tensors,
  leftOut: new Map(),
})
const part = (source: string) => ({ kind: 'rows', parts: [{ source }] }) as const

test('what several tensors make lies in their order, also where their rows are cut or moved', () => {
  const { files, tensors } = planGguf(
    planOf([tensor('k', 'F32', [2, 32]), tensor('fused', 'F32', [6, 32]), tensor('e', 'F32', [2, 3, 32])]),
    modelOf([
      {
        name: 'qkv.weight',
        shape: [5, 32],
        content: {
          kind: 'rows',
          parts: [
            { source: 'fused', rows: { start: 1, count: 2 }, interleaveHeads: 1 },
            { source: 'k' },
            { source: 'fused', rows: { start: 5, count: 1 } },
          ],
        },
      },
      { name: 'experts.weight', shape: [2, 3, 32], content: part('e') },
    ]),
    'Q8_0',
  )
  const rowBytes = 34
  const header = (files[0] as { fileBytes: number }).fileBytes - 192 - 224
  const experts = header + 192
  expect(tensors.map(({ name, byteStart, rows }) => [name, byteStart, rows!.runs])).toEqual([
    ['k', header + 2 * rowBytes, [{ rowStart: 0, rowCount: 2, byteStart: header + 2 * rowBytes }]],
    [
      'fused',
      header,
      [
        { rowStart: 1, rowCount: 2, byteStart: header, interleaveHeads: 1 },
        { rowStart: 5, rowCount: 1, byteStart: header + 4 * rowBytes },
      ],
    ],
    ['e', experts, [{ rowStart: 0, rowCount: 6, byteStart: experts }]],
  ])
})

test('what lies element by element has a place only, integers among it; what is encoded or moved has rows', () => {
  const model = modelOf([
    { name: 'ids', type: 'I32', shape: [4], content: part('ids') },
    { name: 'norm.weight', shape: [32], content: part('norm') },
    { name: 'm.weight', shape: [2, 32], content: part('m') },
  ])
  const sources = [tensor('m', 'BF16', [2, 32]), tensor('norm', 'BF16', [32]), tensor('ids', 'I32', [4])]
  const { files, tensors, documents, copies } = planGguf(planOf(sources), model, 'Q8_0')
  const [{ fileBytes, ...file }] = files as [(typeof files)[number]]
  expect(file).toMatchObject({ name: 'model.gguf', format: 'gguf', pieces: [{ byteStart: 0 }] })
  const header = fileBytes - 96 - 128 - 32
  expect(tensors).toMatchObject([
    {
      name: 'm',
      dtype: 'F32',
      byteStart: header + 160,
      rows: { type: 'Q8_0', columns: 32, runs: [{ rowStart: 0, rowCount: 2, byteStart: header + 160 }] },
    },
    { name: 'norm', dtype: 'F32', byteStart: header + 32 },
    { name: 'ids', dtype: 'I32', byteStart: header },
  ])
  expect(tensors.map(({ rows }) => rows === undefined)).toEqual([false, true, true])
  expect([documents.map(({ name }) => name), copies]).toEqual([['README.md', 'mergekit_config.yml'], []])
})

test('a constant lies in the file before anything is merged, and the model has no tensor for it', () => {
  const model = modelOf([
    { name: 'm.weight', shape: [2, 32], content: part('m') },
    { name: 'rope_freqs.weight', type: 'F32', shape: [2], content: { kind: 'values', values: [1, 0.5] } },
  ])
  const { files, tensors } = planGguf(planOf([tensor('m', 'F32', [2, 32])]), model, 'F16')
  const [{ pieces, fileBytes }] = files as unknown as [
    { readonly pieces: readonly { byteStart: number; base64: string }[]; readonly fileBytes: number },
  ]
  expect(tensors.map(({ name }) => name)).toEqual(['m'])
  expect(pieces).toHaveLength(2)
  expect(pieces[1]).toEqual({
    byteStart: fileBytes - 32,
    base64: Buffer.from(Float32Array.of(1, 0.5).buffer).toString('base64'),
  })
})

test('what is added to the rows of a tensor, or moved, is done as they are written', () => {
  const content = { kind: 'rows', parts: [{ source: 'norm' }], add: 1 } as const
  const rowsOf = (one: GgufTensorPlan) =>
    planGguf(planOf([tensor('norm', 'F32', [32])]), modelOf([one]), 'F32').tensors[0]!.rows
  expect(rowsOf({ name: 'x', type: 'F32', shape: [32], content })).toMatchObject({
    type: 'F32',
    add: 1,
    columns: 1,
    runs: [{ rowStart: 0, rowCount: 32 }],
  })
  const cut = { kind: 'rows', parts: [{ source: 'norm', rows: { start: 0, count: 31 } }] } as const
  expect(rowsOf({ name: 'x', type: 'F32', shape: [31], content: cut })).toMatchObject({ runs: [{ rowCount: 31 }] })
  const moved = { kind: 'rows', parts: [{ source: 'norm', interleaveHeads: 2 }] } as const
  expect(rowsOf({ name: 'x', type: 'F32', shape: [32], content: moved })).toMatchObject({
    runs: [{ interleaveHeads: 2 }],
  })
  expect(rowsOf({ name: 'x', type: 'F32', shape: [32], content: part('norm') })).toBeUndefined()
})

test('the largest number that a block takes is known, where the dtype doesn’t tell', () => {
  const content = { kind: 'rows', parts: [{ source: 'm', interleaveHeads: 1 }] } as const
  const rowsOf = (type: 'Q8_0' | 'F16') =>
    planGguf(planOf([tensor('m', 'F32', [2, 32])]), modelOf([{ name: 'm.weight', shape: [2, 32], content }]), type)
      .tensors[0]!.rows!
  expect(rowsOf('Q8_0').largest).toBe(65520 * 127 - 0.5)
  expect(rowsOf('F16')).toMatchObject({ type: 'F16', blockElements: 1, blockBytes: 2, columns: 32 })
  expect(rowsOf('F16')).not.toHaveProperty('largest')
})

test.each<[string, readonly GgufTensorPlan[], string]>([
  [
    'in two types',
    [
      { name: 'x', type: 'F32', shape: [2, 32], content: part('m') },
      { name: 'y', type: 'F16', shape: [2, 32], content: part('m') },
    ],
    "a tensor can't be stored as F32 and as F16",
  ],
  [
    'with and without something added',
    [
      { name: 'x', type: 'F32', shape: [2, 32], content: part('m') },
      { name: 'y', type: 'F32', shape: [2, 32], content: { ...part('m'), add: 1 } },
    ],
    "a tensor can't be stored as F32 and as F32",
  ],
  ['in a type that nothing is written as', [{ name: 'x', type: 'Q4_K', shape: [2, 256], content: part('w') }], 'Q4_K'],
  [
    'as integers whose rows are cut',
    [
      {
        name: 'x',
        type: 'I32',
        shape: [1, 32],
        content: { kind: 'rows', parts: [{ source: 'm', rows: { start: 0, count: 1 } }] },
      },
    ],
    'm: rows of I32 are copied as they are',
  ],
])('a tensor is not stored %s', (_, tensors, message) => {
  const plan = planOf([tensor('m', 'F32', [2, 32]), tensor('w', 'F32', [2, 256])])
  expect(() => planGguf(plan, modelOf(tensors), 'F32')).toThrow(message)
})
