import type { Dtype } from '@mk/safetensors'
import type { TensorSource } from './tensor-source.ts'

/**
 * Tells the dtype that a tensor counts as having, where what is delivered is only an intermediate form of it.
 * @param dequantizedAs what the weights had before they were quantized, as far as the model says
 */
export function storedDtype(source: TensorSource, dequantizedAs: Dtype): Dtype {
  switch (source.kind) {
    case 'file':
    case 'strided':
    case 'values':
      return source.dtype
    case 'merged':
      return source.storedAs
    case 'crop':
    case 'halves':
    case 'lora':
      return storedDtype(source.source, dequantizedAs)
    case 'gather':
      return source.sources[0] === undefined ? source.dtype : storedDtype(source.sources[0], dequantizedAs)
    case 'blocks':
    case 'packed':
    case 'dequantized':
      return dequantizedAs
    default:
      return source satisfies never
  }
}
