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
