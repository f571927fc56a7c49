import type { GgufFamily } from '../family.ts'
import {
  buffers,
  ends,
  experts,
  headNorms,
  headSizes,
  layerNorms,
  normEpsilon,
  queriesAndKeys,
  qwenExperts,
  sizes,
  valuesAndOutput,
} from './llama-like.ts'

/** Qwen 3 with experts. */
export const qwen3moe: GgufFamily = {
  modelTypes: ['qwen3_moe'],
  architectures: ['Qwen3MoeForCausalLM'],
  architecture: 'qwen3moe',
  settings: [
    ...sizes,
    normEpsilon(1e-6),
    ...experts('num_experts'),
    ...headSizes({ config: ['head_dim'] }, true),
    { key: 'expert_feed_forward_length', type: 'uint32', value: { config: ['moe_intermediate_size'] } },
  ],
  rope: { theta: 10_000, scalings: ['linear', 'yarn'], writesTheta: true },
  fixed: {
    hidden_act: { values: ['silu'] },
    attention_bias: { values: [false] },
    norm_topk_prob: { values: [true] },
    decoder_sparse_step: { values: [1] },
    mlp_only_layers: { values: [null, []] },
    use_sliding_window: { values: [false], refused: false },
  },
  tensors: { ...ends, ...layerNorms, ...queriesAndKeys, ...valuesAndOutput, ...qwenExperts, ...headNorms },
  leftOut: buffers,
}
