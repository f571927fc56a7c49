import type { GgufFamily } from '../family.ts'
import { gemmaTensors, norm } from './gemma2.ts'
import { buffers, headSizes, normEpsilon } from './llama-like.ts'

/** Gemma 3, the text model: of its own, or within a checkpoint that also sees. Defaults are those of transformers. */
export const gemma3: GgufFamily = {
  modelTypes: ['gemma3_text', 'gemma3'],
  architectures: ['Gemma3ForCausalLM', 'Gemma3ForConditionalGeneration'],
  architecture: 'gemma3',
  settings: [
    { key: 'block_count', type: 'uint32', value: { config: ['num_hidden_layers'], otherwise: 26 } },
    { key: 'context_length', type: 'uint32', value: { config: ['max_position_embeddings'], otherwise: 131_072 } },
    { key: 'embedding_length', type: 'uint32', value: { config: ['hidden_size'], otherwise: 2304 } },
    { key: 'feed_forward_length', type: 'uint32', value: { config: ['intermediate_size'], otherwise: 9216 } },
    { key: 'attention.head_count', type: 'uint32', value: { config: ['num_attention_heads'], otherwise: 8 } },
    { key: 'attention.head_count_kv', type: 'uint32', value: { config: ['num_key_value_heads'], otherwise: 4 } },
    normEpsilon(1e-6),
    ...headSizes({ config: ['head_dim'], otherwise: 256 }),
    { key: 'final_logit_softcapping', type: 'float32', value: { config: ['final_logit_softcapping'] }, optional: true },
    { key: 'attention.sliding_window', type: 'uint32', value: { config: ['sliding_window'], otherwise: 4096 } },
  ],
  rope: { theta: 1_000_000, windowTheta: 10_000, scalings: ['linear', 'yarn'], writesTheta: true },
  fixed: {
    hidden_activation: { values: ['gelu_pytorch_tanh'] },
    attention_bias: { values: [false] },
    attn_logit_softcapping: { values: [null] },
    use_bidirectional_attention: { values: [false, null] },
  },
  fullAttentionEvery: 6,
  wideScaleLayers: 62,
  tensors: {
    ...gemmaTensors,
    'model.layers.{layer}.self_attn.q_norm.weight': norm('blk.{layer}.attn_q_norm.weight'),
    'model.layers.{layer}.self_attn.k_norm.weight': norm('blk.{layer}.attn_k_norm.weight'),
  },
  nameWithout: ['language_model.'],
  leftOut: {
    ...buffers,
    'lm_head.weight': 'the embedding is the head',
    'vision_tower.': 'llama.cpp reads the vision model from a file of its own',
    'model.vision_tower.': 'llama.cpp reads the vision model from a file of its own',
    'multi_modal_projector.': 'llama.cpp reads the vision model from a file of its own',
    'model.multi_modal_projector.': 'llama.cpp reads the vision model from a file of its own',
  },
}
