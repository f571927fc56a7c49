/**
 * exp and log in float32, as numbers that every runtime shares. The algorithms are those of Cephes' expf and logf (Stephen
 * Moshier); elementary.ts spells out the order of operations, each rounded to float32, which is part of the
 * definition. There is no fused multiply-add.
 */
export const EXP = {
  /** Outside, the result is +Infinity or 0 anyway. */
  largest: 89,
  smallest: -104,
  log2e: Math.fround(Math.LOG2E),
  /** ln 2 in two parts, of which the first times a whole number up to 150 is exact. */
  ln2High: Math.fround(0.693359375),
  ln2Low: Math.fround(-2.1219444e-4),
  /** From the highest power. */
  polynomial: [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1].map(
    Math.fround,
  ),
} as const

/** The constants of `logFloat32`, which all runtimes share so that their results are the same to the bit. */
export const LOG = {
  /** Below the smallest normal number, x · 2^23 is taken instead of x. */
  smallestNormal: 2 ** -126,
  sqrtHalf: Math.fround(Math.SQRT1_2),
  ln2High: EXP.ln2High,
  ln2Low: EXP.ln2Low,
  /** From the highest power. */
  polynomial: [
    7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
    2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
  ].map(Math.fround),
} as const

/** The bit pattern of float32 +Infinity; those above it are NaN. */
export const INFINITY_BITS = 0x7f800000
