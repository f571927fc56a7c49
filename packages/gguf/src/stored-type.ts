import { ggmlBytes, type GgmlType } from './ggml-types.ts'
import type { GgufTensorPlan } from './tensor-plan.ts'

/**
 * Decides the type of a tensor as llama.cpp's converter does: as float32 what has one dimension, what is a norm, and what is no
 * weight; as F16 what is asked for in blocks that its rows are no multiple of; else as asked.
 */
export function storedGgmlType({ name, shape, type }: GgufTensorPlan, asked: GgmlType): GgmlType {
  if (type !== undefined) return type
  if (shape.length <= 1 || name.endsWith('_norm.weight') || !name.endsWith('.weight')) return 'F32'
  return ggmlBytes(asked, shape) === undefined ? 'F16' : asked
}
