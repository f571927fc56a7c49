import type { Dtype } from '@mk/safetensors'
import type { ElementType } from '../onnx/model.ts'

/** How the elements of a dtype travel: as what type of tensor, and as what they are then reinterpreted. */
export interface StoredType {
  readonly wire: 'float32' | 'float64' | 'uint16'
  readonly bits: ElementType
}

const types: Partial<Record<Dtype, StoredType>> = {
  F32: { wire: 'float32', bits: 'float32' },
  F64: { wire: 'float64', bits: 'float64' },
  F16: { wire: 'uint16', bits: 'float16' },
  BF16: { wire: 'uint16', bits: 'bfloat16' },
}

/** Tells how a dtype travels: undefined for float8, which BitCast lacks, and for integers, which are rare: those become float32 on the host. */
export const inGraph = (dtype: Dtype): StoredType | undefined => types[dtype]
