import { expect } from 'vitest'

/** Roughly normal numbers, always the same for a seed. */
export function noise(count: number, seed: number, scale = 1): Float32Array {
  let state = (seed * 2654435761 + 1) >>> 0
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Float32Array.from(
    { length: count },
    () => scale * (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3),
  )
}

/** Models that were tuned from one base. */
export function tuned(count: number, models: number, seed = 1): { base: Float32Array; models: Float32Array[] } {
  const base = noise(count, seed)
  return {
    base,
    models: Array.from({ length: models }, (_, i) => noise(count, seed + i + 1, 0.1).map((d, j) => d + base[j]!)),
  }
}

export const subtract = (a: ArrayLike<number>, b: ArrayLike<number>): number[] =>
  Array.from(a, (value, i) => Math.fround(value - b[i]!))

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((sum, value, i) => sum + value * b[i]!, 0)
export const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a))

/** Σ cᵢ·xᵢ in float64. */
export const combine = (tensors: readonly ArrayLike<number>[], coefficients: readonly number[]): number[] =>
  Array.from(tensors[0]!, (_, i) => tensors.reduce((sum, x, m) => sum + coefficients[m]! * x[i]!, 0))

/** Every value within tolerance · max(|expected|, RMS of the expected). */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6): void {
  expect(actual.length).toBe(expected.length)
  const rms = norm(expected) / Math.sqrt(expected.length)
  const wrong = Array.from(expected, (value, i) => ({ i, value, got: actual[i]! })).filter(
    ({ value, got }) => !(Math.abs(got - value) <= tolerance * Math.max(Math.abs(value), rms)),
  )
  expect(wrong).toEqual([])
}

/** Byte for byte; of long arrays this is much faster than toEqual. */
export function expectSame(actual: Float32Array, expected: Float32Array): void {
  const [a, b] = [actual, expected].map((x) => new Uint32Array(x.buffer, x.byteOffset, x.length)) as [
    Uint32Array,
    Uint32Array,
  ]
  expect(a.length).toBe(b.length)
  expect(a.findIndex((bits, i) => bits !== b[i])).toBe(-1)
}
