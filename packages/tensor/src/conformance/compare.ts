import type { Dtype } from '@mk/safetensors'
import { decode } from '../numbers/dtypes.ts'

/** How far a result may be from the reference: |got − expected| ≤ absolute + relative · |expected|. Absent: not at all. */
export interface Tolerance {
  readonly absolute: number
  readonly relative: number
}

/** What may differ at all. */
export interface Allowance {
  readonly tolerance: Tolerance | undefined
  readonly anyZeroSign: boolean
}

/** Half a step may turn into a whole one when a slightly different value is rounded. */
const step: Partial<Record<Dtype, number>> = { BF16: 2 ** -7, F16: 2 ** -10, F8_E4M3: 2 ** -3, F8_E5M2: 2 ** -2 }

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Compares stored elements. @returns what differs, or nothing. NaNs are equal whatever their bits. */
export function compareStored(
  dtype: Dtype,
  got: Uint8Array,
  expected: Uint8Array,
  elementCount: number,
  { tolerance, anyZeroSign }: Allowance,
): string | undefined {
  if (equalBytes(got, expected)) return undefined
  const size = expected.byteLength / Math.max(1, elementCount)
  const [x, y] = [got, expected].map((bytes) => {
    const values = new Float32Array(elementCount)
    decode(dtype, bytes, 0, values)
    return values
  }) as [Float32Array, Float32Array]
  for (let i = 0; i < elementCount; i++) {
    const sameBytes = () => {
      for (let byte = i * size; byte < (i + 1) * size; byte++) if (got[byte] !== expected[byte]) return false
      return true
    }
    const isInteger = /^[IUB]\w*$/.test(dtype) && dtype !== 'BF16'
    const same =
      (Number.isNaN(x[i]) && Number.isNaN(y[i])) ||
      (anyZeroSign && x[i] === 0 && y[i] === 0) ||
      (tolerance === undefined
        ? sameBytes()
        : close(x[i]!, y[i]!, {
            absolute: isInteger ? 1 : tolerance.absolute,
            relative: tolerance.relative + (step[dtype] ?? 0),
          }))
    if (!same) return `element ${i} (${dtype}): got ${x[i]}, expected ${y[i]}`
  }
  return undefined
}

/** Compares results: reductions within the tolerance; counts and indices exactly. */
export function compareResults(
  got: Float64Array | Uint32Array | undefined,
  expected: Float64Array | Uint32Array,
  { tolerance, anyZeroSign }: Allowance,
): string | undefined {
  if (got?.constructor.name !== expected.constructor.name)
    return `got ${got?.constructor.name}, expected a ${expected.constructor.name}`
  if (got.length !== expected.length) return `got ${got.length} values, expected ${expected.length}`
  for (let i = 0; i < expected.length; i++) {
    const same =
      Object.is(got[i], expected[i]) ||
      (anyZeroSign && got[i] === 0 && expected[i] === 0) ||
      (tolerance !== undefined && close(got[i]!, expected[i]!, tolerance))
    if (!same) return `value ${i}: got ${got[i]}, expected ${expected[i]}`
  }
  return undefined
}

const close = (got: number, expected: number, { absolute, relative }: Tolerance): boolean =>
  got === expected || Math.abs(got - expected) <= absolute + relative * Math.abs(expected)
