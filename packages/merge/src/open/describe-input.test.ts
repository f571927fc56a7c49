import type { Checkpoint } from '@mk/checkpoint'
import type { TensorSource } from '@mk/source'
import { expect, test } from 'vitest'
import { describeInput, renameLike } from './describe-input.ts'

const source = (shape: readonly number[]): TensorSource => ({
  kind: 'file',
  dtype: 'F32',
  shape,
  file: 'f',
  byteStart: 0,
})

/** A model of matrices of these names. */
const model = (names: readonly string[], config: object = { model_type: 'gpt2', architectures: ['GPT2LMHeadModel'] }) =>
  describeInput({
    tensors: new Map(names.map((name) => [name, source([4, 4])])),
    reference: { path: 'm', adapters: [] },
    config,
  } as unknown as Checkpoint)

const renamed = (donor: readonly string[], other: readonly string[]) => [
  ...renameLike(model(donor), model(other)).checkpoint.tensors.keys(),
]
const inLayer = (prefix: string, layer: number, ...parts: readonly string[]) =>
  parts.map((part) => `${prefix}h.${layer}.${part}.weight`)

test.each([1, 2, 3])('%d tensors of a model saved without an outer prefix get the names with it', (count) => {
  const parts = ['attn.c_attn', 'attn.c_proj', 'mlp.c_fc'].slice(0, count)
  expect(renamed(inLayer('transformer.', 0, ...parts), inLayer('', 0, ...parts))).toEqual(
    inLayer('transformer.', 0, ...parts),
  )
})

test('layers beyond the other’s are renamed, too', () => {
  const other = [0, 1, 2].flatMap((layer) => inLayer('', layer, 'attn.c_attn', 'mlp.c_fc'))
  expect(renamed(inLayer('transformer.', 0, 'attn.c_attn', 'mlp.c_fc'), other)).toEqual(
    other.map((name) => `transformer.${name}`),
  )
})

test('where the names are the same nothing is renamed', () => {
  const names = inLayer('', 0, 'attn.c_attn', 'mlp.c_fc')
  expect(renamed(names, names)).toEqual(names)
})

test('no two tensors get one name', () => {
  const other = [...inLayer('', 0, 'attn.c_attn'), ...inLayer('transformer.', 0, 'attn.c_attn')]
  expect(renamed(inLayer('transformer.', 0, 'attn.c_attn'), other)).toEqual(other)
})
