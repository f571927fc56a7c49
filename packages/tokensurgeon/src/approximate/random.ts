import { logFloat32, uniformAt } from '@mk/tensor/runtime'

/** What random numbers of a row depend on, beside its place. */
interface Key {
  readonly high: number
  readonly low: number
}

/**
 * Draws a normally distributed number, a function of key and index only: the quantile of a uniform number of 24 bits, by algorithm AS 241,
 * PPND7 (Wichura 1988), with seven digits.
 */
export function normalAt(key: Key, index: number): number {
  const p = uniformAt(key, index) + 2 ** -25
  const q = p - 0.5
  if (Math.abs(q) <= 0.425) {
    const r = 0.180625 - q * q
    return (
      (q * polynomial(r, [3.3871327179, 50.434271938, 159.29113202, 59.10937472])) /
      polynomial(r, [1, 17.895169469, 78.757757664, 67.1875636])
    )
  }
  const r = Math.sqrt(-logFloat32(q < 0 ? p : 1 - p)) - 1.6
  const size =
    polynomial(r, [1.4234372777, 2.75681539, 1.3067284816, 0.17023821103]) /
    polynomial(r, [1, 0.7370016425, 0.12021132975])
  return q < 0 ? -size : size
}

/** Σ cᵢ·xⁱ by Horner's rule. */
const polynomial = (x: number, coefficients: readonly number[]): number =>
  coefficients.reduceRight((sum, coefficient) => sum * x + coefficient, 0)
