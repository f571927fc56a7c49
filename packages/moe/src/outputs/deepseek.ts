import type { ConfigFacts, MoeOutput } from './output.ts'
import { notDense } from './mixtral.ts'
import { commonSettings, hasWindow } from './settings.ts'

/** Where the code of the family is: transformers has none for it. */
const code = 'deepseek-ai/deepseek-moe-16b-base'

/** DeepSeek MoE, the first of that name, whose shared expert every token goes through ungated. */
export const deepseekMoe: MoeOutput = {
  title: 'DeepSeek MoE',
  refusal(candidates) {
    const { sharedCount, sharedHasPrompts } = candidates
    const family = notDense(candidates, ['llama', 'mistral'])
    if (family !== undefined) return family
    if (sharedCount > 1) return `has one shared expert or none, found ${sharedCount}`
    return sharedHasPrompts ? 'has no gate for its shared expert, so that its prompts would say nothing' : undefined
  },
  names: {
    expert: (index, part) => `mlp.experts.${index}.${part}.weight`,
    router: 'mlp.gate.weight',
    shared: (part) => `mlp.shared_experts.${part}.weight`,
  },
  extras: ['qkv_bias', 'o_bias'],
  config: (facts) => {
    const { rope_parameters: parameters, ...common } = commonSettings(facts)
    return {
      architectures: ['DeepseekForCausalLM'],
      auto_map: {
        AutoConfig: `${code}--configuration_deepseek.DeepseekConfig`,
        AutoModel: `${code}--modeling_deepseek.DeepseekModel`,
        AutoModelForCausalLM: `${code}--modeling_deepseek.DeepseekForCausalLM`,
      },
      model_type: 'deepseek',
      ...common,
      ...(parameters !== undefined && { rope_parameters: parameters }),
      ...olderRotary(facts),
      attention_bias: facts.base['attention_bias'] ?? false,
      first_k_dense_replace: 0,
      moe_intermediate_size: facts.sizes.intermediate,
      moe_layer_freq: 1,
      n_routed_experts: facts.expertCount,
      n_shared_experts: facts.sharedCount === 0 ? null : facts.sharedCount,
      norm_topk_prob: true,
      num_experts_per_tok: facts.expertsPerToken,
      scoring_func: 'softmax',
    }
  },
  limits: (facts) => [
    ...(facts.sizes.headSize * facts.sizes.heads === facts.sizes.hidden
      ? []
      : [['head_dim', 'hidden_size / num_attention_heads'] as const]),
    ...(hasWindow(facts) ? [['sliding_window', 'null'] as const] : []),
    ...(['default', 'linear', 'dynamic'].includes(rotaryOf(facts).type)
      ? []
      : [['rope_scaling', 'none, linear or dynamic'] as const]),
  ],
}

interface Rotary {
  readonly type: string
  readonly theta: unknown
  readonly factor: unknown
}

function rotaryOf({ base }: ConfigFacts): Rotary {
  const part = (base['rope_parameters'] ?? base['rope_scaling'] ?? {}) as Readonly<Record<string, unknown>>
  const type = part['rope_type'] ?? part['type'] ?? 'default'
  return { type: String(type), theta: part['rope_theta'] ?? base['rope_theta'] ?? 10_000, factor: part['factor'] }
}

/** As the code of the family, which is older than `rope_parameters`, reads them. */
function olderRotary(facts: ConfigFacts): Record<string, unknown> {
  const { type, theta, factor } = rotaryOf(facts)
  return { rope_scaling: type === 'default' ? null : { factor, type }, rope_theta: theta }
}
