import type { GgufFamily } from '../family.ts'
import { llama } from './llama.ts'

/** Mistral 7B, Nemo, Small: a Llama for llama.cpp, which has no window of attention for it. */
export const mistral: GgufFamily = {
  ...llama,
  modelTypes: ['mistral'],
  architectures: ['MistralForCausalLM'],
  fixed: { ...llama.fixed, sliding_window: { values: [null], refused: false } },
}
