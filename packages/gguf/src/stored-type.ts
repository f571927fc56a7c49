import { ggmlBytes, type GgmlType } from './ggml-types.ts'
import type { GgufTensorPlan } from './tensor-plan.ts'

/** Tensors that suffer most from few bits. */
const delicate: readonly string[] = ['token_embd.weight', 'output.weight']

/** Which expert a token goes to is decided in full. */
const routers = /\.ffn_gate_inp(_shexp)?\.weight$/

/**
 * Decides the type of a tensor as llama.cpp's converter does: as float32 what has one dimension, what is a norm or a router, and what
 * is no weight; as F16 what is asked for in blocks that its rows are no multiple of; else as asked. Embedding and head have eight bits
 * where four are asked for.
 */
export function storedGgmlType({ name, shape, type }: GgufTensorPlan, asked: GgmlType): GgmlType {
  if (type !== undefined) return type
  if (shape.length <= 1 || name.endsWith('_norm.weight') || routers.test(name) || !name.endsWith('.weight'))
    return 'F32'
  const wanted = asked === 'Q4_0' && delicate.includes(name) ? 'Q8_0' : asked
  return ggmlBytes(wanted, shape) === undefined ? 'F16' : wanted
}
