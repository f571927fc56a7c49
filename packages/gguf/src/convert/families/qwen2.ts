import type { GgufFamily } from '../family.ts'
import {
  buffers,
  ends,
  gatedMlp,
  headSizes,
  layerNorms,
  normEpsilon,
  queriesAndKeys,
  sizes,
  valuesAndOutput,
} from './llama-like.ts'

/** Qwen 1.5 to 2.5, and the distillations of DeepSeek R1 into them. */
export const qwen2: GgufFamily = {
  modelTypes: ['qwen2'],
  architectures: ['Qwen2ForCausalLM'],
  architecture: 'qwen2',
  settings: [...sizes, normEpsilon(1e-6), ...headSizes({ config: ['head_dim'] }, true)],
  rope: { theta: 10_000, scalings: ['linear', 'yarn'], writesTheta: true },
  fixed: { hidden_act: { values: ['silu'] }, use_sliding_window: { values: [false], refused: false } },
  tensors: { ...ends, ...layerNorms, ...queriesAndKeys, ...valuesAndOutput, ...gatedMlp },
  leftOut: buffers,
}
