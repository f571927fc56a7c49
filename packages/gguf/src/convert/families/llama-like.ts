import type { FamilySetting, SettingValue, TensorRule } from '../family.ts'

const config = (...keys: string[]): SettingValue => ({ config: keys })

const heads = config('num_attention_heads')

/** The size of a head: the config's own, or an even share. */
export const headDim: SettingValue = { config: ['head_dim'], otherwise: { quotient: [config('hidden_size'), heads] } }

/** Heads of k and v: as many as of q where config.json is silent. */
const keyValueHeads: SettingValue = { config: ['num_key_value_heads'], otherwise: heads }

/** Sizes that every decoder has. */
export const sizes: readonly FamilySetting[] = [
  { key: 'block_count', type: 'uint32', value: config('num_hidden_layers') },
  { key: 'context_length', type: 'uint32', value: config('max_position_embeddings') },
  { key: 'embedding_length', type: 'uint32', value: config('hidden_size') },
  { key: 'feed_forward_length', type: 'uint32', value: config('intermediate_size') },
  { key: 'attention.head_count', type: 'uint32', value: heads },
  { key: 'attention.head_count_kv', type: 'uint32', value: keyValueHeads },
]

/** The size of heads, and the epsilon of the norms where config.json is silent. */
export const normEpsilon = (otherwise: number): FamilySetting => ({
  key: 'attention.layer_norm_rms_epsilon',
  type: 'float32',
  value: { config: ['rms_norm_eps'], otherwise },
})

export const headSizes = (value: SettingValue, optional = false): readonly FamilySetting[] => [
  { key: 'attention.key_length', type: 'uint32', value, optional },
  { key: 'attention.value_length', type: 'uint32', value, optional },
]

/** Counts of experts. */
export const experts = (count: string): readonly FamilySetting[] => [
  { key: 'expert_count', type: 'uint32', value: config(count) },
  { key: 'expert_used_count', type: 'uint32', value: config('num_experts_per_tok') },
]

/** Embedding, head and last norm. */
export const ends: Readonly<Record<string, TensorRule>> = {
  'model.embed_tokens.weight': 'token_embd.weight',
  'model.norm.weight': 'output_norm.weight',
  'lm_head.weight': { name: 'output.weight', optional: true },
}

/** Both norms of a layer, and what attention and a gated MLP have besides q and k. */
export const layerNorms: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.input_layernorm.weight': 'blk.{layer}.attn_norm.weight',
  'model.layers.{layer}.post_attention_layernorm.weight': 'blk.{layer}.ffn_norm.weight',
}

export const valuesAndOutput: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.self_attn.v_proj.weight': 'blk.{layer}.attn_v.weight',
  'model.layers.{layer}.self_attn.v_proj.bias': { name: 'blk.{layer}.attn_v.bias', optional: true },
  'model.layers.{layer}.self_attn.o_proj.weight': 'blk.{layer}.attn_output.weight',
  'model.layers.{layer}.self_attn.o_proj.bias': { name: 'blk.{layer}.attn_output.bias', optional: true },
}

/** q and k whose halves of heads RoPE turns against each other, as in transformers. */
export const queriesAndKeys: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.self_attn.q_proj.weight': 'blk.{layer}.attn_q.weight',
  'model.layers.{layer}.self_attn.q_proj.bias': { name: 'blk.{layer}.attn_q.bias', optional: true },
  'model.layers.{layer}.self_attn.k_proj.weight': 'blk.{layer}.attn_k.weight',
  'model.layers.{layer}.self_attn.k_proj.bias': { name: 'blk.{layer}.attn_k.bias', optional: true },
}

/** q and k for llama.cpp's `llama`, whose RoPE turns neighbors against each other. */
export const interleavedQueriesAndKeys: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.self_attn.q_proj.weight': {
    name: 'blk.{layer}.attn_q.weight',
    interleave: 'num_attention_heads',
  },
  'model.layers.{layer}.self_attn.q_proj.bias': {
    name: 'blk.{layer}.attn_q.bias',
    interleave: 'num_attention_heads',
    optional: true,
  },
  'model.layers.{layer}.self_attn.k_proj.weight': {
    name: 'blk.{layer}.attn_k.weight',
    interleave: 'num_key_value_heads',
  },
  'model.layers.{layer}.self_attn.k_proj.bias': {
    name: 'blk.{layer}.attn_k.bias',
    interleave: 'num_key_value_heads',
    optional: true,
  },
}

export const headNorms: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.self_attn.q_norm.weight': 'blk.{layer}.attn_q_norm.weight',
  'model.layers.{layer}.self_attn.k_norm.weight': 'blk.{layer}.attn_k_norm.weight',
}

export const gatedMlp: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.mlp.gate_proj.weight': 'blk.{layer}.ffn_gate.weight',
  'model.layers.{layer}.mlp.gate_proj.bias': { name: 'blk.{layer}.ffn_gate.bias', optional: true },
  'model.layers.{layer}.mlp.up_proj.weight': 'blk.{layer}.ffn_up.weight',
  'model.layers.{layer}.mlp.up_proj.bias': { name: 'blk.{layer}.ffn_up.bias', optional: true },
  'model.layers.{layer}.mlp.down_proj.weight': 'blk.{layer}.ffn_down.weight',
  'model.layers.{layer}.mlp.down_proj.bias': { name: 'blk.{layer}.ffn_down.bias', optional: true },
}

/** Experts of Qwen, one tensor each or packed as transformers 5 keeps them in memory. */
export const qwenExperts: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.mlp.gate.weight': { name: 'blk.{layer}.ffn_gate_inp.weight', type: 'F32' },
  'model.layers.{layer}.mlp.experts.{expert}.gate_proj.weight': 'blk.{layer}.ffn_gate_exps.weight',
  'model.layers.{layer}.mlp.experts.{expert}.up_proj.weight': 'blk.{layer}.ffn_up_exps.weight',
  'model.layers.{layer}.mlp.experts.{expert}.down_proj.weight': 'blk.{layer}.ffn_down_exps.weight',
  'model.layers.{layer}.mlp.experts.gate_up_proj': {
    halves: ['blk.{layer}.ffn_gate_exps.weight', 'blk.{layer}.ffn_up_exps.weight'],
  },
  'model.layers.{layer}.mlp.experts.down_proj': 'blk.{layer}.ffn_down_exps.weight',
}

/** Buffers of earlier versions of transformers, which are no weights. */
export const buffers: Readonly<Record<string, string>> = {
  'model.layers.{layer}.self_attn.rotary_emb.inv_freq': 'computed from the config',
  'model.rotary_emb.inv_freq': 'computed from the config',
}
