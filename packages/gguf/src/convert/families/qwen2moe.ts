import type { GgufFamily, TensorRule } from '../family.ts'
import {
  buffers,
  ends,
  experts,
  headSizes,
  layerNorms,
  normEpsilon,
  queriesAndKeys,
  qwenExperts,
  sizes,
  valuesAndOutput,
} from './llama-like.ts'

const sharedExpert: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.mlp.shared_expert_gate.weight': { name: 'blk.{layer}.ffn_gate_inp_shexp.weight', type: 'F32' },
  'model.layers.{layer}.mlp.shared_expert.gate_proj.weight': 'blk.{layer}.ffn_gate_shexp.weight',
  'model.layers.{layer}.mlp.shared_expert.up_proj.weight': 'blk.{layer}.ffn_up_shexp.weight',
  'model.layers.{layer}.mlp.shared_expert.down_proj.weight': 'blk.{layer}.ffn_down_shexp.weight',
}

/** Qwen 1.5 and 2 with experts, one of which every token goes through. */
export const qwen2moe: GgufFamily = {
  modelTypes: ['qwen2_moe'],
  architectures: ['Qwen2MoeForCausalLM'],
  architecture: 'qwen2moe',
  settings: [
    ...sizes,
    normEpsilon(1e-6),
    ...experts('num_experts'),
    ...headSizes({ config: ['head_dim'] }, true),
    { key: 'expert_feed_forward_length', type: 'uint32', value: { config: ['moe_intermediate_size'] } },
    {
      key: 'expert_shared_feed_forward_length',
      type: 'uint32',
      value: { config: ['shared_expert_intermediate_size'] },
    },
  ],
  rope: { theta: 10_000, scalings: ['linear', 'yarn'], writesTheta: true },
  fixed: {
    hidden_act: { values: ['silu'] },
    norm_topk_prob: { values: [false] },
    decoder_sparse_step: { values: [1] },
    mlp_only_layers: { values: [null, []] },
    use_sliding_window: { values: [false], refused: false },
  },
  tensors: { ...ends, ...layerNorms, ...queriesAndKeys, ...valuesAndOutput, ...qwenExperts, ...sharedExpert },
  leftOut: buffers,
  needsHead: true,
}
