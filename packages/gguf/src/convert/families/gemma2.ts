import type { GgufFamily, TensorRule } from '../family.ts'
import { buffers, gatedMlp, headSizes, normEpsilon, queriesAndKeys, sizes, valuesAndOutput } from './llama-like.ts'

/** Gemma's norms multiply by 1 + weight, llama.cpp's by weight. */
export const norm = (name: string): TensorRule => ({ name, add: 1 })

/** What Gemma 2 and 3 have in common. The head is the embedding. */
export const gemmaTensors: Readonly<Record<string, TensorRule>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': norm('output_norm.weight'),
  'model.layers.{layer}.input_layernorm.weight': norm('blk.{layer}.attn_norm.weight'),
  'model.layers.{layer}.post_attention_layernorm.weight': norm('blk.{layer}.post_attention_norm.weight'),
  'model.layers.{layer}.pre_feedforward_layernorm.weight': norm('blk.{layer}.ffn_norm.weight'),
  'model.layers.{layer}.post_feedforward_layernorm.weight': norm('blk.{layer}.post_ffw_norm.weight'),
  ...queriesAndKeys,
  ...valuesAndOutput,
  ...gatedMlp,
}

export const gemma2: GgufFamily = {
  modelTypes: ['gemma2'],
  architectures: ['Gemma2ForCausalLM'],
  architecture: 'gemma2',
  settings: [
    ...sizes,
    normEpsilon(1e-6),
    ...headSizes({ config: ['head_dim'], otherwise: 256 }),
    { key: 'attn_logit_softcapping', type: 'float32', value: { config: ['attn_logit_softcapping'], otherwise: 50 } },
    { key: 'final_logit_softcapping', type: 'float32', value: { config: ['final_logit_softcapping'], otherwise: 30 } },
    { key: 'attention.sliding_window', type: 'uint32', value: { config: ['sliding_window'], otherwise: 4096 } },
  ],
  rope: { theta: 10_000, scalings: [], writesTheta: false },
  fixed: { hidden_activation: { values: ['gelu_pytorch_tanh', null] }, attention_bias: { values: [false] } },
  fullAttentionEvery: 2,
  wideScaleLayers: 46,
  tensors: gemmaTensors,
  leftOut: { ...buffers, 'lm_head.weight': 'the embedding is the head' },
}
