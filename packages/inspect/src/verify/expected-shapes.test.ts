import { expect, it } from 'vitest'
import { expectedShape } from './expected-shapes.ts'

const sizes = {
  hidden_size: 12,
  vocab_size: 100,
  intermediate_size: 30,
  num_attention_heads: 3,
  num_key_value_heads: 2,
  num_local_experts: 5,
  moe_intermediate_size: 7,
}
const shapeOf = (name: string, more: object = {}) => expectedShape(name, { model_type: 'llama', ...sizes, ...more })

it.each([
  ['model.embed_tokens.weight', [100, 12]],
  ['transformer.wte.weight', [100, 12]],
  ['wte.weight', [100, 12]],
  ['lm_head.weight', [100, 12]],
  ['model.norm.weight', [12]],
  ['norm.weight', [12]],
  ['model.layers.0.input_layernorm.weight', [12]],
  ['model.layers.0.self_attn.q_proj.weight', [12, 12]],
  ['model.layers.0.self_attn.k_proj.weight', [8, 12]],
  ['model.layers.0.self_attn.v_proj.weight', [8, 12]],
  ['model.layers.0.self_attn.q_proj.bias', [12]],
  ['model.layers.0.self_attn.v_proj.bias', [8]],
  ['model.layers.10.mlp.gate_proj.weight', [30, 12]],
  ['model.layers.10.mlp.down_proj.weight', [12, 30]],
  ['model.layers.0.block_sparse_moe.gate.weight', [5, 12]],
  ['model.layers.0.block_sparse_moe.experts.11.w1.weight', [30, 12]],
  ['model.layers.0.block_sparse_moe.experts.11.w2.weight', [12, 30]],
  ['model.layers.0.mlp.experts.11.up_proj.weight', [7, 12]],
  ['model.layers.0.mlp.experts.11.down_proj.weight', [12, 7]],
  ['vision.lm_head.weight', undefined],
  ['model.layers.0.other.weight', undefined],
])('%s has the shape that follows from config.json', (name, shape) => {
  expect(shapeOf(name)).toEqual(shape)
})

it('follows from the names of other families, and from a size of heads of its own', () => {
  const [q, o, k] = ['q_proj', 'o_proj', 'k_proj'].map((kind) => `model.layers.0.self_attn.${kind}.weight`)
  expect([q, o, k].map((name) => shapeOf(name!, { head_dim: 8 }))).toEqual([
    [24, 12],
    [12, 24],
    [16, 12],
  ])
  expect(shapeOf(k!, { num_key_value_heads: undefined })).toEqual([12, 12])
  expect(expectedShape('wte.weight', { n_embd: 6, vocab_size: 9 })).toEqual([9, 6])
  expect(expectedShape('wte.weight', { d_model: 6, vocab_size: 9 })).toEqual([9, 6])
  expect(shapeOf('model.layers.0.block_sparse_moe.gate.weight', { num_local_experts: null, num_experts: 4 })).toEqual([
    4, 12,
  ])
})

it('is not known where a size is missing, embeddings are narrower than layers, or layers are built otherwise', () => {
  const [q, head] = ['model.layers.0.self_attn.q_proj.weight', 'lm_head.weight'] as const
  expect(shapeOf(q, { num_attention_heads: undefined })).toBeUndefined()
  expect(shapeOf(head, { vocab_size: 'many' })).toBeUndefined()
  expect(shapeOf(head, { hidden_size: undefined })).toBeUndefined()
  for (const key of ['embedding_size', 'word_embed_proj_dim', 'embedding_dim'])
    expect(shapeOf(head, { [key]: 6 })).toBeUndefined()
  for (const model_type of ['gpt2', 'llama4', 'xllama']) expect(shapeOf(q, { model_type })).toBeUndefined()
  expect(shapeOf(head, { model_type: 'gpt2' })).toEqual([100, 12])
})
