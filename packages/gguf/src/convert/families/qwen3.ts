import type { GgufFamily } from '../family.ts'
import { headNorms, headSizes, normEpsilon, sizes } from './llama-like.ts'
import { qwen2 } from './qwen2.ts'

/** Qwen 3, dense: norms of q and k instead of their biases, and a head size of its own. */
export const qwen3: GgufFamily = {
  ...qwen2,
  modelTypes: ['qwen3'],
  architectures: ['Qwen3ForCausalLM'],
  architecture: 'qwen3',
  settings: [...sizes, normEpsilon(1e-6), ...headSizes({ config: ['head_dim'], otherwise: 128 })],
  fixed: { ...qwen2.fixed, attention_bias: { values: [false] } },
  tensors: { ...qwen2.tensors, ...headNorms },
}
