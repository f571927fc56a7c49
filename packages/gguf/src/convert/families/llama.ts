import type { GgufFamily } from '../family.ts'
import {
  buffers,
  ends,
  gatedMlp,
  headDim,
  headSizes,
  interleavedQueriesAndKeys,
  layerNorms,
  normEpsilon,
  sizes,
  valuesAndOutput,
} from './llama-like.ts'

/** Llama 1 to 3, and what has its shape: Yi, SmolLM, TinyLlama, DeepSeek Coder, …. */
export const llama: GgufFamily = {
  modelTypes: ['llama'],
  architectures: ['LlamaForCausalLM'],
  architecture: 'llama',
  settings: [
    ...sizes,
    normEpsilon(1e-6),
    ...headSizes(headDim),
    { key: 'rope.dimension_count', type: 'uint32', value: headDim },
  ],
  rope: { theta: 10_000, scalings: ['linear', 'yarn', 'llama3'], writesTheta: true },
  writesVocabularySize: true,
  fixed: { hidden_act: { values: ['silu'] }, partial_rotary_factor: { values: [1] } },
  tensors: { ...ends, ...layerNorms, ...interleavedQueriesAndKeys, ...valuesAndOutput, ...gatedMlp },
  leftOut: buffers,
}
