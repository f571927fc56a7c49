import type { MoeOutput } from './output.ts'
import { noShared, notDense } from './mixtral.ts'
import { commonSettings, windowSettings } from './settings.ts'

/** Qwen2-MoE, whose shared expert has a gate of its own. Models without biases get biases of 0. */
export const qwen2Moe: MoeOutput = {
  title: 'Qwen MoE',
  refusal(candidates) {
    const { sharedCount, sharedHasPrompts, isDrawn } = candidates
    const family = notDense(candidates, ['llama', 'mistral', 'qwen2'])
    if (family !== undefined) return family
    if (sharedCount !== 1) return `has one shared expert, found ${sharedCount}`
    return sharedHasPrompts || isDrawn ? undefined : 'has a gate for its shared expert, which needs positive_prompts'
  },
  names: {
    expert: (index, part) => `mlp.experts.${index}.${part}.weight`,
    router: 'mlp.gate.weight',
    shared: (part) => `mlp.shared_expert.${part}.weight`,
    sharedGate: 'mlp.shared_expert_gate.weight',
  },
  extras: ['qkv_bias'],
  zeros: true,
  config: (facts) => ({
    architectures: ['Qwen2MoeForCausalLM'],
    model_type: 'qwen2_moe',
    ...commonSettings(facts),
    decoder_sparse_step: 1,
    mlp_only_layers: [],
    moe_intermediate_size: facts.sizes.intermediate,
    norm_topk_prob: true,
    num_experts: facts.expertCount,
    num_experts_per_tok: facts.expertsPerToken,
    output_router_logits: false,
    qkv_bias: true,
    router_aux_loss_coef: 0.001,
    shared_expert_intermediate_size: facts.sizes.intermediate,
    ...windowSettings(facts),
  }),
}

/** Qwen3-MoE of Qwen3 models. */
export const qwen3Moe: MoeOutput = {
  title: 'Qwen3 MoE',
  refusal: (candidates) => notDense(candidates, ['qwen3']) ?? noShared(candidates),
  names: { expert: (index, part) => `mlp.experts.${index}.${part}.weight`, router: 'mlp.gate.weight' },
  extras: ['qk_norm', 'qkv_bias', 'o_bias'],
  config: (facts) => ({
    architectures: ['Qwen3MoeForCausalLM'],
    model_type: 'qwen3_moe',
    ...commonSettings(facts),
    attention_bias: facts.base['attention_bias'] ?? false,
    decoder_sparse_step: 1,
    mlp_only_layers: [],
    moe_intermediate_size: facts.sizes.intermediate,
    norm_topk_prob: true,
    num_experts: facts.expertCount,
    num_experts_per_tok: facts.expertsPerToken,
    output_router_logits: false,
    router_aux_loss_coef: 0.001,
    ...windowSettings(facts),
  }),
}
