import { type GgmlType, isGgmlType } from '@mk/gguf'
import type { TensorSource } from '@mk/source'

/** Gives the type of a tensor in a GGUF that has it as it is. */
export function ggmlTypeOf(source: TensorSource): GgmlType {
  if (source.kind === 'blocks') return source.type
  return isGgmlType(source.dtype) ? source.dtype : 'F32'
}
