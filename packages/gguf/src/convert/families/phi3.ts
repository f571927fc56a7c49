import type { GgufFamily, SettingValue } from '../family.ts'
import { buffers, ends, layerNorms, normEpsilon, sizes } from './llama-like.ts'

const heads: SettingValue = { config: ['num_attention_heads'] }

/** Phi 4 mini turns three quarters of each head. */
const turned: SettingValue = {
  product: [{ config: ['partial_rotary_factor'], otherwise: 1 }, { config: ['hidden_size'] }],
}

/** Phi 3, 3.5 and 4. q, k and v are one tensor, gate and up as well, in llama.cpp too. */
export const phi3: GgufFamily = {
  modelTypes: ['phi3'],
  architectures: ['Phi3ForCausalLM'],
  architecture: 'phi3',
  settings: [
    ...sizes,
    {
      key: 'rope.scaling.original_context_length',
      type: 'uint32',
      value: { config: ['original_max_position_embeddings'], otherwise: 4096 },
    },
    normEpsilon(1e-5),
    { key: 'rope.dimension_count', type: 'uint32', value: { quotient: [turned, heads] } },
    { key: 'attention.sliding_window', type: 'uint32', value: { config: ['sliding_window'], otherwise: 0 } },
  ],
  rope: { theta: 10_000, scalings: ['longrope'], writesTheta: true },
  fixed: { hidden_act: { values: ['silu'] }, sliding_window: { values: [null], refused: false } },
  tensors: {
    ...ends,
    ...layerNorms,
    'model.layers.{layer}.self_attn.qkv_proj.weight': 'blk.{layer}.attn_qkv.weight',
    'model.layers.{layer}.self_attn.o_proj.weight': 'blk.{layer}.attn_output.weight',
    'model.layers.{layer}.mlp.gate_up_proj.weight': 'blk.{layer}.ffn_up.weight',
    'model.layers.{layer}.mlp.down_proj.weight': 'blk.{layer}.ffn_down.weight',
  },
  leftOut: buffers,
  specialByLook: false,
}
