import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { decode } from '@mk/tensor'

const STEP_ELEMENTS = 2 ** 14

/** Counts the stored elements that are infinite or NaN; integers have none. */
export function countNonFinite(dtype: Dtype, bytes: Uint8Array): number {
  if (dtype === 'F64') return countOf(new Float64Array(Uint8Array.from(bytes).buffer))
  const elements = bytes.length / dtypeBytes(dtype)
  const values = new Float32Array(Math.min(STEP_ELEMENTS, elements))
  let count = 0
  for (let start = 0; start < elements; start += STEP_ELEMENTS) {
    const step = values.subarray(0, Math.min(STEP_ELEMENTS, elements - start))
    decode(dtype, bytes, start, step)
    count += countOf(step)
  }
  return count
}

function countOf(values: Float32Array | Float64Array): number {
  let count = 0
  for (const value of values) if (!Number.isFinite(value)) count++
  return count
}
