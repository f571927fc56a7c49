import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Checkpoint } from '@mk/checkpoint'
import type { TensorSource } from '@mk/source'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn } from '../__fixtures__/merge.ts'
import { type TinyTensor, useFolder, writeModel } from '../__fixtures__/models.ts'
import { unpackExperts } from './unpack-experts.ts'

const folder = useFolder()
const [experts, hidden, inner] = [2, 4, 3]
/** Any number that tells expert, matrix, row and column apart. */
const element = (seed: number, expert: number, which: number, at: number) =>
  seed * 1000 + expert * 100 + which * 30 + at
const values = (seed: number, expert: number, which: number) =>
  Array.from({ length: hidden * inner }, (_, at) => element(seed, expert, which, at))

interface Names {
  readonly type: string
  readonly part: string
  readonly matrices: readonly [gate: string, up: string, down: string]
}
const mixtral: Names = { type: 'mixtral', part: 'block_sparse_moe', matrices: ['w1', 'w3', 'w2'] }
const qwen: Names = { type: 'qwen3_moe', part: 'mlp', matrices: ['gate_proj', 'up_proj', 'down_proj'] }

const tensor = (shape: readonly number[], numbers: readonly number[]): TinyTensor => ({
  shape,
  value: (at) => numbers[at]!,
})
const inLayers = (make: (path: string) => Record<string, TinyTensor>) =>
  Object.assign(
    { 'model.embed_tokens.weight': { shape: [6, hidden] } },
    ...[0, 1].map((n) => make(`model.layers.${n}`)),
  )
const separate = (seed: number, { part, matrices }: Names) =>
  inLayers((path) => ({
    [`${path}.${part}.gate.weight`]: tensor([experts, hidden], values(seed, 9, 0)),
    ...Object.fromEntries(
      [0, 1].flatMap((expert) =>
        matrices.map((name, which) => [
          `${path}.${part}.experts.${expert}.${name}.weight`,
          tensor(which === 2 ? [hidden, inner] : [inner, hidden], values(seed, expert, which)),
        ]),
      ),
    ),
  }))
const packed = (seed: number) =>
  inLayers((path) => ({
    [`${path}.mlp.gate.weight`]: tensor([experts, hidden], values(seed, 9, 0)),
    [`${path}.mlp.experts.gate_up_proj`]: tensor(
      [experts, 2 * inner, hidden],
      [0, 1].flatMap((expert) => [0, 1].flatMap((which) => values(seed, expert, which))),
    ),
    [`${path}.mlp.experts.down_proj`]: tensor(
      [experts, hidden, inner],
      [0, 1].flatMap((expert) => values(seed, expert, 2)),
    ),
  }))
const write = (name: string, { type }: Names, tensors: Record<string, TinyTensor>) =>
  writeModel(join(folder.path, name), { config: { model_type: type, num_hidden_layers: 2 }, tensors })
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'

describe.each([mixtral, qwen])('packed experts of $type', (names) => {
  test.each([
    ['separate', 'packed'],
    ['packed', 'separate'],
    ['packed', 'packed'],
  ])('%s and %s merge into one tensor per expert', async (...forms) => {
    for (const [index, form] of forms.entries())
      await write('ab'[index]!, names, form === 'packed' ? packed(index + 1) : separate(index + 1, names))
    const { tensors, plan } = await mergeIn(folder.path, linear)
    expect(Object.keys(tensors).toSorted()).toEqual(Object.keys(separate(0, names)).toSorted())
    for (const expert of [0, 1])
      names.matrices.forEach((name, which) =>
        expect(tensors[`model.layers.1.${names.part}.experts.${expert}.${name}.weight`]!.values).toEqual(
          values(1.5, expert, which),
        ),
      )
    expect(plan.notes.filter((note) => note.includes('packed experts'))).toHaveLength(
      forms.filter((form) => form === 'packed').length,
    )
  })
})

test('experts in another form stay as they are', async () => {
  const transposed = inLayers((path) => ({
    [`${path}.mlp.experts.gate_up_proj`]: { shape: [2, 4, 6] },
    [`${path}.mlp.experts.down_proj`]: { shape: [2, 3, 4] },
    [`${path}.mlp.gate.weight`]: { shape: [2, 4] },
  }))
  for (const name of ['a', 'b']) await write(name, qwen, transposed)
  const plan = await planIn(folder.path, linear)
  expect(plan.tensors.map(({ name }) => name).toSorted()).toEqual(Object.keys(transposed).toSorted())
})

describe('experts in forms that cannot be made one are refused by name', () => {
  const transposed = inLayers((path) => ({
    [`${path}.mlp.experts.gate_up_proj`]: { shape: [2, hidden, 2 * inner] },
    [`${path}.mlp.experts.down_proj`]: { shape: [2, inner, hidden] },
    [`${path}.mlp.gate.weight`]: { shape: [2, hidden] },
  }))

  test('packed with the axes in another order, beside separate ones', async () => {
    await write('a', qwen, separate(1, qwen))
    await write('b', qwen, transposed)
    const message = await expectIssue(planIn(folder.path, linear), 'experts-differ', { isPackedOnHub: false })
    expect(message).toContain('gate_up_proj, [2, 4, 6]); only packed ones of')
  })

  test('separate, of a family that has packed ones on the hub', async () => {
    const llama4 = { ...qwen, type: 'llama4_text' }
    await write('a', llama4, packed(1))
    await write('b', llama4, separate(2, llama4))
    const message = await expectIssue(planIn(folder.path, linear), 'experts-differ', { family: 'llama4_text' })
    expect(message).toContain('released checkpoints of llama4_text have packed ones')
    for (const name of ['a', 'b']) await write(name, llama4, packed(1))
    const { tensors } = await planIn(folder.path, linear)
    expect(tensors.map(({ name }) => name).toSorted()).toEqual(Object.keys(packed(1)).toSorted())
  })
})

describe('packed experts are taken apart, whatever lies over them', () => {
  test('scales of float8', async () => {
    const ones = (shape: readonly number[]): TinyTensor => ({ shape, value: () => 2 })
    const quantized = inLayers((path) => ({
      [`${path}.mlp.gate.weight`]: tensor([experts, hidden], values(1, 9, 0)),
      [`${path}.mlp.experts.gate_up_proj`]: { dtype: 'F8_E4M3', shape: [experts, 2 * inner, hidden], value: () => 3 },
      [`${path}.mlp.experts.gate_up_proj_scale_inv`]: ones([experts, 1, 1]),
      [`${path}.mlp.experts.down_proj`]: { dtype: 'F8_E4M3', shape: [experts, hidden, inner], value: () => 5 },
      [`${path}.mlp.experts.down_proj_scale_inv`]: ones([experts, 1, 1]),
    }))
    const config = { model_type: qwen.type, num_hidden_layers: 2, quantization_config: { quant_method: 'fp8' } }
    await writeModel(join(folder.path, 'a'), { config, tensors: quantized })
    await write('b', qwen, separate(2, qwen))
    const { tensors } = await mergeIn(folder.path, `${linear}\ndtype: float32`)
    const [gate, down] = ['gate_proj', 'down_proj'].map(
      (name) => tensors[`model.layers.1.mlp.experts.1.${name}.weight`]!.values,
    )
    expect(gate).toEqual(values(2, 1, 0).map((value) => (value + 6) / 2))
    expect(down).toEqual(values(2, 1, 2).map((value) => (value + 10) / 2))
  })

  test('an adapter of other matrices', async () => {
    const rank = 1
    const attention = (tensors: Record<string, TinyTensor>) => ({
      ...tensors,
      'model.layers.0.self_attn.q_proj.weight': { shape: [hidden, hidden] },
    })
    await write('a', qwen, attention(packed(1)))
    await write('b', qwen, attention(separate(2, qwen)))
    const prefix = 'base_model.model.model.layers.0.self_attn.q_proj'
    await writeModel(join(folder.path, 'lora'), {
      tensors: {
        [`${prefix}.lora_A.weight`]: { shape: [rank, hidden] },
        [`${prefix}.lora_B.weight`]: { shape: [hidden, rank] },
      },
      files: { 'adapter_config.json': JSON.stringify({ peft_type: 'LORA', r: rank, lora_alpha: rank }) },
    })
    await rename(join(folder.path, 'lora', 'model.safetensors'), join(folder.path, 'lora', 'adapter_model.safetensors'))
    const plan = await planIn(folder.path, linear.replace('model: a', 'model: a+lora'))
    expect(plan.tensors).toHaveLength(Object.keys(attention(separate(2, qwen))).length)
  })
})

describe('which form a family is released with', () => {
  const source = (shape: readonly number[]): TensorSource => ({
    kind: 'file',
    dtype: 'F32',
    shape,
    file: 'f',
    byteStart: 0,
  })
  const unpacked = (type: string) => {
    const tensors = new Map([
      ['model.layers.0.mlp.experts.gate_up_proj', source([1, 2 * inner, hidden])],
      ['model.layers.0.mlp.experts.down_proj', source([1, hidden, inner])],
    ])
    const checkpoint = { tensors, config: { model_type: type }, reference: { path: type, adapters: [] }, notes: [] }
    return [...unpackExperts([checkpoint as unknown as Checkpoint])[0]!.tensors.keys()]
  }
  const separateNames = (part: string, names: readonly string[]) =>
    names.map((name) => `model.layers.0.${part}.experts.0.${name}.weight`)

  test.each('deepseek_v2 deepseek_v3 dots1 glm4_moe olmoe qwen2_moe qwen3_moe'.split(' '))(
    '%s: one tensor per expert, by words',
    (type) => expect(unpacked(type)).toEqual(separateNames('mlp', ['gate_proj', 'up_proj', 'down_proj'])),
  )

  test.each(['minimax', 'mixtral'])('%s: one tensor per expert, by numbers', (type) =>
    expect(unpacked(type)).toEqual(separateNames('block_sparse_moe', ['w1', 'w3', 'w2'])),
  )

  test.each(
    'dbrx gpt_oss granitemoe granitemoehybrid granitemoeshared llama4 llama4_text qwen3_5_moe qwen3_vl_moe'.split(' '),
  )('%s: packed, also beside a model that was taken apart', (type) => {
    const packedNames = ['gate_up_proj', 'down_proj'].map((name) => `model.layers.0.mlp.experts.${name}`)
    expect(unpacked(type)).toEqual(packedNames)
    const apart = new Map(
      separateNames('mlp', ['gate_proj', 'up_proj', 'down_proj']).map((name) => [name, source([4, 4])]),
    )
    const whole = new Map(packedNames.map((name) => [name, source([1, 6, 4])]))
    const [a, b] = [apart, whole].map(
      (tensors, index) =>
        ({
          tensors,
          config: { model_type: type },
          reference: { path: `m${index}`, adapters: [] },
          notes: [],
        }) as unknown as Checkpoint,
    )
    expect(() => unpackExperts([a!, b!])).toThrow(`released checkpoints of ${type} have packed ones`)
  })
})
