import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { decode } from './dtypes.ts'

/** Stored elements in memory. */
export interface StoredElements {
  readonly dtype: Dtype
  readonly bytes: Uint8Array
  /** What is larger is infinite where it is stored. */
  readonly largest?: number | undefined
}

const stepElements = 2 ** 12

/**
 * Visits what is infinite or NaN, as it is stored: a float64 past float32 is finite.
 * @param elementCount how many elements there are in `bytes`, from the first on
 * @param visit gets the index of each
 */
export function visitNonFinite(
  elementCount: number,
  { dtype, bytes, largest = Number.MAX_VALUE }: StoredElements,
  visit: (index: number) => void,
): void {
  const size = dtypeBytes(dtype)
  const floats = new Float32Array(Math.min(stepElements, elementCount))
  for (let start = 0; start < elementCount; start += stepElements) {
    const count = Math.min(stepElements, elementCount - start)
    const values =
      dtype === 'F64' ? doubles(bytes.subarray(start * size, (start + count) * size)) : floats.subarray(0, count)
    if (values instanceof Float32Array) decode(dtype, bytes, start, values)
    for (let i = 0; i < count; i++) if (!(Math.abs(values[i]!) <= largest)) visit(start + i)
  }
}

const doubles = (bytes: Uint8Array): Float64Array => new Float64Array(Uint8Array.from(bytes).buffer)
