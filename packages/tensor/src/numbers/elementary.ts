import { EXP, LOG } from './numerics.ts'

const round = Math.fround
const bits = new Int32Array(1)
const float = new Float32Array(bits.buffer)

/** 2^n for −126 ≤ n ≤ 127. */
const power = (n: number): number => {
  bits[0] = (n + 127) << 23
  return float[0]!
}

/** Computes e^x in float32, within 2 ulp: NaN → NaN, too large → Infinity, too small → subnormal, then 0. */
export function expFloat32(x: number): number {
  x = Math.min(Math.max(x, EXP.smallest), EXP.largest)
  const n = Math.floor(round(round(x * EXP.log2e) + 0.5))
  x = round(x - round(n * EXP.ln2High))
  x = round(x - round(n * EXP.ln2Low))
  const [c0, c1, c2, c3, c4, c5] = EXP.polynomial as [number, number, number, number, number, number]
  let y = c0
  y = round(round(y * x) + c1)
  y = round(round(y * x) + c2)
  y = round(round(y * x) + c3)
  y = round(round(y * x) + c4)
  y = round(round(y * x) + c5)
  y = round(round(y * round(x * x)) + x)
  y = round(y + 1)
  // In two steps, since 2^n itself may be out of range; only the second can round. NaN >> 1 is 0.
  const half = n >> 1
  return round(round(y * power(half)) * power((n | 0) - half))
}

/** Computes ln x in float32, within 2 ulp: NaN and negative → NaN, ±0 → −Infinity, Infinity → Infinity. */
export function logFloat32(x: number): number {
  if (Number.isNaN(x) || x < 0) return NaN
  if (x === 0) return -Infinity
  if (x === Infinity) return Infinity
  const subnormal = x < LOG.smallestNormal
  float[0] = subnormal ? x * 2 ** 23 : x
  let exponent = (bits[0]! >>> 23) - 126 - (subnormal ? 23 : 0)
  bits[0] = (bits[0]! & 0x007fffff) | 0x3f000000
  let m = float[0]!
  if (m < LOG.sqrtHalf) {
    exponent -= 1
    m = round(m + m)
  }
  m = round(m - 1)
  const square = round(m * m)
  let y = LOG.polynomial[0]!
  for (let i = 1; i < LOG.polynomial.length; i++) y = round(round(y * m) + LOG.polynomial[i]!)
  y = round(round(y * m) * square)
  y = round(y + round(exponent * LOG.ln2Low))
  y = round(y - round(0.5 * square))
  return round(round(m + y) + round(exponent * LOG.ln2High))
}
