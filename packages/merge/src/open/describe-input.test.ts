import type { Checkpoint } from '@mk/checkpoint'
import type { TensorSource } from '@mk/source'
import { describe, expect, test } from 'vitest'
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

const unheard = { model_type: 'unheard-of' }
const text = (prefix: string, ...more: readonly string[]) => [
  `${prefix}model.embed_tokens.weight`,
  `${prefix}model.layers.0.self_attn.q_proj.weight`,
  `${prefix}model.layers.0.mlp.up_proj.weight`,
  ...more,
]
const vision = ['vision_tower.layers.0.mlp.fc1.weight', 'vision_tower.layers.0.mlp.fc2.weight']
const likeVision = (donor: readonly string[], other: readonly string[]) => [
  ...renameLike(model([...donor, ...vision], { model_type: 'llava' }), model(other, unheard)).checkpoint.tensors.keys(),
]

describe('the head of a text model', () => {
  test('is called as that of a tied donor would be', () => {
    expect(likeVision(text('language_model.'), text('', 'lm_head.weight'))).toEqual(
      text('language_model.', 'language_model.lm_head.weight'),
    )
  })

  test('is called as the donor’s, where that has one', () => {
    expect(likeVision(text('language_model.', 'language_model.lm_head.weight'), text('', 'lm_head.weight'))).toEqual(
      text('language_model.', 'language_model.lm_head.weight'),
    )
  })

  test('keeps its name where the donor has no embedding, to which it could tie one', () => {
    const donor = text('language_model.').slice(1)
    expect(likeVision(donor, text('', 'lm_head.weight').slice(1)).at(-1)).toBe('lm_head.weight')
  })
})

describe('two models are alike where more than half of what is in their layers corresponds', () => {
  const parts = (...names: readonly string[]) => inLayer('', 0, ...names)
  const donor = inLayer('transformer.', 0, 'attn.c_attn', 'mlp.c_fc')
  const known = parts('attn.c_attn', 'mlp.c_fc')

  test('so one beside two leaves them alike', () => {
    expect(renamed(donor, [...known, ...parts('x.a')])).toContain('transformer.h.0.attn.c_attn.weight')
  })

  test.each([[['x.a', 'x.b']], [['x.a', 'x.b', 'x.c']]])('but not %j beside two', (others) => {
    const other = [...known, ...parts(...others)]
    expect(renamed(donor, other)).toEqual(other)
  })

  test('what is no weight does not count', () => {
    const buffers = ['rotary_emb.inv_freq', 'rotary_emb.cos_cached', 'rotary_emb.sin_cached']
    const other = [...known, ...buffers.map((name) => `h.0.attn.${name}`)]
    expect(renamed(donor, other)).toContain('transformer.h.0.attn.c_attn.weight')
  })

  test('many layers of one kind count once', () => {
    const other = [...known, ...[0, 1, 2, 3].flatMap((layer) => inLayer('', layer, 'x.a'))]
    expect(renamed(donor, other)).toContain('transformer.h.0.mlp.c_fc.weight')
  })
})

test('a text model whose layers come to stand between others counts as having as many, and keeps what is noted of it', () => {
  const whole = [0, 1, 2].flatMap((layer) =>
    [layer === 1 ? 'cross_attn.q_proj' : 'self_attn.q_proj', 'mlp.up_proj'].map(
      (part) => `language_model.model.layers.${layer}.${part}.weight`,
    ),
  )
  const own = [0, 1].flatMap((layer) =>
    ['self_attn.q_proj', 'mlp.up_proj'].map((part) => `model.layers.${layer}.${part}.weight`),
  )
  const mllama = { model_type: 'mllama', architectures: ['MllamaForConditionalGeneration'] }
  const plain = model([...own, 'model.norm.weight'], unheard)
  const noted = { ...plain, layout: { ...plain.layout, notes: ['of the text model'] } }
  const { checkpoint, layout } = renameLike(model([...whole, ...vision], mllama), noted)
  expect([...checkpoint.tensors.keys()].filter((name) => name.includes('q_proj'))).toEqual(
    [0, 2].map((layer) => `language_model.model.layers.${layer}.self_attn.q_proj.weight`),
  )
  expect(layout.modules.map(({ layerCount }) => layerCount).filter((count) => count > 0)).toEqual([3])
  expect(layout.notes).toEqual(['of the text model'])
})

test('a model is of the architecture that the recipe says, else of its own', () => {
  const config = { model_type: 'gpt2', architectures: ['GPT2LMHeadModel'], vocab_size: 7 }
  const described = (overrideArchitecture?: string) =>
    describeInput({
      tensors: new Map(),
      reference: { path: 'm', adapters: [], ...(overrideArchitecture && { overrideArchitecture }) },
      config,
    } as unknown as Checkpoint).checkpoint.config
  expect(described()).toBe(config)
  expect(described('LlamaForCausalLM')).toEqual({ ...config, architectures: ['LlamaForCausalLM'] })
})
