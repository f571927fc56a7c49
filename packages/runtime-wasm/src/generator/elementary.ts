import { EXP, LOG } from '@mk/tensor/runtime'
import { type Code, f32x4, i32, i32x4, v128, type Vector } from '@mk/wasm-encoder'
import type { Keep } from './minifloat.ts'

/** Computes exp by the operations of `expFloat32` in @mk/tensor/runtime, in the same order, four at a time. */
export function expLanes(a: Vector, keep: Keep): Vector {
  // NaN stays, and reaches the result by way of x.
  const clamped = keep(f32x4.pmin(f32x4.pmax(a, f32x4.const(EXP.smallest)), f32x4.const(EXP.largest)))
  const whole = keep(f32x4.floor(f32x4.add(f32x4.mul(clamped, f32x4.const(EXP.log2e)), f32x4.const(0.5))))
  const n = keep(wholeNumber(whole))
  const high = f32x4.sub(clamped, f32x4.mul(whole, f32x4.const(EXP.ln2High)))
  const x = keep(f32x4.sub(high, f32x4.mul(whole, f32x4.const(EXP.ln2Low))))
  const y = expOfSmall(x)
  const half = keep(i32x4.shr_s(n, i32.const(1)))
  return f32x4.mul(f32x4.mul(y, power(half)), power(i32x4.sub(n, half)))
}

/** Up to here nothing is taken off x, and the power of 2 is 1. */
const SMALL = 0.34

/** Tells whether `expOfSmall` gives what `expLanes` would for all of these. NaN is not small. */
export function areSmall(groups: readonly Vector[]): Code<'i32'> {
  const sizes = groups.map((x) => v128.and(x, i32x4.const(0x7fffffff)))
  return i32.eqz(v128.any_true(i32x4.gt_s(sizes.reduce(i32x4.max_s), f32x4.const(SMALL))))
}

/** Computes exp of |x| ≤ SMALL. */
export function expOfSmall(x: Vector): Vector {
  const y = f32x4.add(f32x4.mul(horner(EXP.polynomial, x), f32x4.mul(x, x)), x)
  return f32x4.add(y, f32x4.const(1))
}

/** Computes the natural logarithm by the operations of `logFloat32` in @mk/tensor/runtime, in the same order, four at a time. */
export function logLanes(a: Vector, keep: Keep): Vector {
  const x = keep(a)
  const subnormal = keep(f32x4.lt(x, f32x4.const(LOG.smallestNormal)))
  const bits = keep(v128.bitselect(f32x4.mul(x, f32x4.const(2 ** 23)), x, subnormal))
  const bias = i32x4.sub(i32x4.const(-126), v128.and(subnormal, i32x4.const(23)))
  const half = keep(v128.or(v128.and(bits, i32x4.const(0x007fffff)), i32x4.const(0x3f000000)))
  const small = keep(f32x4.lt(half, f32x4.const(LOG.sqrtHalf)))
  const exponent = keep(f32x4.convert_i32x4_s(i32x4.add(i32x4.add(i32x4.shr_u(bits, i32.const(23)), bias), small)))
  const m = keep(f32x4.sub(f32x4.add(half, v128.and(small, half)), f32x4.const(1)))
  const square = keep(f32x4.mul(m, m))
  let y = f32x4.mul(f32x4.mul(horner(LOG.polynomial, m), m), square)
  y = f32x4.add(y, f32x4.mul(exponent, f32x4.const(LOG.ln2Low)))
  y = f32x4.sub(y, f32x4.mul(f32x4.const(0.5), square))
  const finite = f32x4.add(f32x4.add(m, y), f32x4.mul(exponent, f32x4.const(LOG.ln2High)))
  const positive = v128.bitselect(f32x4.const(Infinity), finite, f32x4.eq(x, f32x4.const(Infinity)))
  const signed = v128.bitselect(positive, f32x4.const(NaN), f32x4.ge(x, f32x4.const(0)))
  return v128.bitselect(f32x4.const(-Infinity), signed, f32x4.eq(x, f32x4.const(0)))
}

/** Tells whole numbers of less than 2^22 as integers: where a float32 has no binary places, its last bits are the number. */
export const wholeNumber = (whole: Vector): Vector =>
  i32x4.sub(f32x4.add(whole, f32x4.const(NO_PLACES)), i32x4.const(NO_PLACES_BITS))

/** 1.5 · 2^23, and its bits. */
const NO_PLACES = 12582912
const NO_PLACES_BITS = 0x4b400000

function horner(coefficients: readonly number[], x: Vector): Vector {
  return coefficients
    .slice(1)
    .reduce((y, c) => f32x4.add(f32x4.mul(y, x), f32x4.const(c)), f32x4.const(coefficients[0] ?? 0))
}

const power = (n: Vector): Vector => i32x4.shl(i32x4.add(n, i32x4.const(127)), i32.const(23))
