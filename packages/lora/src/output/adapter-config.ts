import type { ExtractionPlan } from '../plan/extraction.ts'
import { nameModules } from '../plan/name-modules.ts'

/** What adapter_config.json is written from. */
export interface AdapterFacts {
  readonly plan: ExtractionPlan
  readonly basePath: string
  /** By module, in the order of the model. */
  readonly ranks: ReadonlyMap<string, number>
  /** Modules that are saved whole. */
  readonly whole: readonly string[]
  readonly hasBias: boolean
}

/** Makes the value of adapter_config.json, as PEFT reads it: every scale is 1. */
export function adapterConfig({
  plan,
  basePath,
  ranks,
  whole,
  hasBias,
}: AdapterFacts): Readonly<Record<string, unknown>> {
  const rank = Math.max(...ranks.values(), 1)
  const { modules } = plan
  const inClass = (module: string): string => nameInClass(plan, module)
  const all = modules.map(inClass)
  const pattern = Object.fromEntries(
    [...ranks].filter(([, own]) => own !== rank).map(([module, own]) => [inClass(module), own]),
  )
  return {
    base_model_name_or_path: basePath,
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    r: rank,
    lora_alpha: rank,
    rank_pattern: pattern,
    alpha_pattern: pattern,
    target_modules: nameModules([...ranks.keys()].map(inClass), all),
    modules_to_save: whole.length === 0 ? null : nameModules(whole.map(inClass), all),
    bias: hasBias ? 'all' : 'none',
    fan_in_fan_out: plan.fanInFanOut,
    use_rslora: false,
    lora_dropout: 0,
    inference_mode: true,
  }
}

/** The name that a module has in transformers' class. */
export const nameInClass = ({ prefix, heads, tiedHead }: ExtractionPlan, module: string): string =>
  heads.includes(module) || module === tiedHead?.module
    ? module
    : // Mixtral's router is elsewhere in transformers 5, and PEFT renames factors only.
      prefix + module.replace(/\.block_sparse_moe\.gate$/, '.mlp.gate')
