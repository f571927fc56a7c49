import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { visitNonFinite } from '@mk/tensor'

/** Counts the stored elements that are infinite or NaN; integers have none. */
export function countNonFinite(dtype: Dtype, bytes: Uint8Array): number {
  let count = 0
  visitNonFinite(bytes.length / dtypeBytes(dtype), { dtype, bytes }, () => count++)
  return count
}
