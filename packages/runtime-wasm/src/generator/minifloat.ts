import { f32x4, i32, i32x4, v128, type Vector } from '@mk/wasm-encoder'

/** Puts a value into a local, so that it can be used several times. */
export type Keep = (value: Vector) => Vector

/** A small binary float: sign, exponent, mantissa. */
export interface Minifloat {
  readonly exponentBits: number
  readonly mantissaBits: number
  readonly bias: number
  /** Whether the top exponent is infinity and NaN; else only its all-ones mantissa is NaN and overflow becomes NaN. */
  readonly infinity: boolean
}

export const float16: Minifloat = { exponentBits: 5, mantissaBits: 10, bias: 15, infinity: true }
export const float8E5M2: Minifloat = { exponentBits: 5, mantissaBits: 2, bias: 15, infinity: true }
export const float8E4M3: Minifloat = { exponentBits: 4, mantissaBits: 3, bias: 7, infinity: false }

const SIGN = 0x80000000
const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0]!
const constant = (value: number): Vector => i32x4.const(value)

/**
 * Computes float32 of the minifloats in the topmost bits of each lane. Exact, and without arithmetic on float32 subnormals, which
 * is slow on some processors.
 */
export function decodeMinifloat(
  { exponentBits, mantissaBits, bias, infinity }: Minifloat,
  top: Vector,
  keep: Keep,
): Vector {
  const magnitude = keep(i32x4.shr_u(i32x4.shl(top, i32.const(1)), i32.const(9 - exponentBits)))
  const rebias = 127 - bias
  const normal = keep(i32x4.add(magnitude, constant(rebias << 23)))
  // The mantissa of a subnormal put behind the leading one that it lacks, which is then taken off again.
  const subnormal = f32x4.sub(i32x4.add(normal, constant(1 << 23)), f32x4.const(2 ** (1 - bias)))
  const finite = v128.bitselect(subnormal, normal, i32x4.gt_s(constant(1 << 23), magnitude))
  const topExponent = ((1 << exponentBits) - 1) << 23
  const special = infinity
    ? i32x4.gt_s(magnitude, constant(topExponent - 1))
    : i32x4.eq(magnitude, constant(topExponent | (((1 << mantissaBits) - 1) << (23 - mantissaBits))))
  const raised = v128.or(finite, v128.and(special, constant(0x7f800000)))
  return v128.or(raised, v128.and(top, constant(SIGN)))
}

/** Computes the minifloats as integers, rounded to nearest even. */
export function encodeMinifloat(
  { exponentBits, mantissaBits, bias, infinity }: Minifloat,
  value: Vector,
  keep: Keep,
): Vector {
  const x = keep(value)
  const signShift = 31 - exponentBits - mantissaBits
  const dropped = 23 - mantissaBits
  const topCode = ((1 << exponentBits) - 1) << mantissaBits
  // One past the largest code that stays finite; what is larger needs no telling apart.
  const overflow = infinity
    ? 2 ** (2 ** exponentBits - 1 - bias)
    : 2 ** (2 ** exponentBits - 1 - bias) * (2 - 2 ** -mantissaBits)
  const magnitude = keep(v128.and(x, constant(~SIGN)))
  const clamped = keep(i32x4.min_s(magnitude, constant(bitsOf(overflow))))
  const odd = v128.and(i32x4.shr_u(clamped, i32.const(dropped)), constant(1))
  const rebased = i32x4.add(clamped, constant(((bias - 127) << 23) + (1 << (dropped - 1)) - 1))
  const normal = i32x4.shr_u(i32x4.add(rebased, odd), i32.const(dropped))
  // The sum's last bit is worth the smallest subnormal, so that the addition itself rounds.
  const anchor = 2 ** (1 - bias - mantissaBits + 23)
  const subnormal = i32x4.sub(f32x4.add(magnitude, f32x4.const(anchor)), constant(bitsOf(anchor)))
  const rounded = v128.bitselect(subnormal, normal, i32x4.gt_s(constant(bitsOf(2 ** (1 - bias))), magnitude))
  const nan = infinity ? topCode | (1 << (mantissaBits - 1)) : topCode | ((1 << mantissaBits) - 1)
  const magnitudeCode = v128.bitselect(constant(nan), rounded, i32x4.gt_s(magnitude, constant(0x7f800000)))
  return v128.or(
    magnitudeCode,
    v128.and(i32x4.shr_u(x, i32.const(signShift)), constant(1 << (exponentBits + mantissaBits))),
  )
}
