import type { Candidates, MoeOutput } from './output.ts'
import { commonSettings, settingOf } from './settings.ts'

const names = { gate_proj: 'w1', up_proj: 'w3', down_proj: 'w2' } as const

/** Mixtral of Llama or Mistral models, named as Mistral AI released it. */
export const mixtral: MoeOutput = {
  title: 'Mixtral',
  refusal: (candidates) => notDense(candidates, ['llama', 'mistral']) ?? noShared(candidates),
  names: {
    expert: (index, part) => `block_sparse_moe.experts.${index}.${names[part]}.weight`,
    router: 'block_sparse_moe.gate.weight',
  },
  extras: [],
  config: (facts) => ({
    architectures: ['MixtralForCausalLM'],
    model_type: 'mixtral',
    ...commonSettings(facts),
    num_experts_per_tok: facts.expertsPerToken,
    num_local_experts: facts.expertCount,
    output_router_logits: false,
    router_aux_loss_coef: 0.001,
    sliding_window: facts.family === 'mistral' ? settingOf(facts, 'sliding_window') : null,
  }),
}

/** Says which models it takes to be, where they are others. */
export function notDense({ family, families }: Candidates, expected: readonly string[]): string | undefined {
  if (family !== undefined && expected.includes(family)) return undefined
  const found = family === undefined ? `models of several families (${[...new Set(families)].join(', ')})` : family
  return `takes models of ${expected.length === 1 ? expected[0]! : `${expected.slice(0, -1).join(', ')} or ${expected.at(-1)!}`}, found ${found}`
}

/** Says that there are shared experts, where it can't have any. */
export const noShared = ({ sharedCount }: Candidates): string | undefined =>
  sharedCount === 0 ? undefined : `has no shared experts, found ${sharedCount}`
