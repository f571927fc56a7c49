import type { GgufFamily, TensorRule } from '../family.ts'
import {
  buffers,
  ends,
  experts,
  headDim,
  headSizes,
  interleavedQueriesAndKeys,
  layerNorms,
  normEpsilon,
  sizes,
  valuesAndOutput,
} from './llama-like.ts'

const mixture: Readonly<Record<string, TensorRule>> = {
  'model.layers.{layer}.block_sparse_moe.gate.weight': { name: 'blk.{layer}.ffn_gate_inp.weight', type: 'F32' },
  'model.layers.{layer}.block_sparse_moe.experts.{expert}.w1.weight': 'blk.{layer}.ffn_gate_exps.weight',
  'model.layers.{layer}.block_sparse_moe.experts.{expert}.w2.weight': 'blk.{layer}.ffn_down_exps.weight',
  'model.layers.{layer}.block_sparse_moe.experts.{expert}.w3.weight': 'blk.{layer}.ffn_up_exps.weight',
  // As transformers 5 keeps them in memory.
  'model.layers.{layer}.mlp.gate.weight': { name: 'blk.{layer}.ffn_gate_inp.weight', type: 'F32' },
  'model.layers.{layer}.mlp.experts.gate_up_proj': {
    halves: ['blk.{layer}.ffn_gate_exps.weight', 'blk.{layer}.ffn_up_exps.weight'],
  },
  'model.layers.{layer}.mlp.experts.down_proj': 'blk.{layer}.ffn_down_exps.weight',
}

/** Mixtral 8x7B and 8x22B, and mixtures of Mistrals made in its shape: a Llama with experts for llama.cpp. */
export const mixtral: GgufFamily = {
  modelTypes: ['mixtral'],
  architectures: ['MixtralForCausalLM'],
  architecture: 'llama',
  settings: [
    ...sizes,
    normEpsilon(1e-5),
    ...experts('num_local_experts'),
    ...headSizes({ config: ['head_dim'] }, true),
    { key: 'rope.dimension_count', type: 'uint32', value: headDim },
  ],
  rope: { theta: 1_000_000, scalings: ['linear', 'yarn'], writesTheta: true },
  writesVocabularySize: true,
  fixed: { hidden_act: { values: ['silu'] }, sliding_window: { values: [null], refused: false } },
  tensors: { ...ends, ...layerNorms, ...interleavedQueriesAndKeys, ...valuesAndOutput, ...mixture },
  leftOut: buffers,
}
