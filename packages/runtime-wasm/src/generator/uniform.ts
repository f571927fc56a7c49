import { f32x4, i32, i32x4, v128, type Vector } from '@mk/wasm-encoder'
import type { Keep } from './minifloat.ts'

/** What the elements of one call have in common, each as four equal lanes. */
export interface UniformCall {
  /** `fold` of `uniformHigh` of the first element. */
  readonly high: Vector
  /** The same of what to xor to it past the next multiple of 2^32, and the index in the call of the last element before; absent: there is none. */
  readonly change?: { readonly high: Vector; readonly lastBefore: Vector }
}

/**
 * Computes the 24 bits of `uniformAt` of @mk/tensor/runtime for four elements.
 * @param indices in the call
 * @param lows the low words of the elements' flat indexes, plus the key's low word
 */
export function uniformBits({ high, change }: UniformCall, indices: Vector, lows: Vector, keep: Keep): Vector {
  const highs = change ? v128.xor(high, v128.and(i32x4.gt_s(indices, change.lastBefore), change.high)) : high
  // The first `fmix32` ends by the fold with which the second begins, and folding twice undoes it.
  const first = mix(keep(fold(lows, 16)), keep)
  return i32x4.shr_u(fold(keep(mix(keep(v128.xor(first, highs)), keep)), 16), i32.const(8))
}

/** Computes the float32 that bits of `uniformBits` stand for. */
export const uniformOf = (bits: Vector): Vector => f32x4.mul(f32x4.convert_i32x4_s(bits), f32x4.const(2 ** -24))

/** Computes the bits of `uniformBits` below which those of all numbers are that are less than a float32. */
export const bitsBelow = (limit: Vector): Vector =>
  i32x4.trunc_sat_f32x4_s(f32x4.ceil(f32x4.mul(limit, f32x4.const(2 ** 24))))

/** Moves a word down by so many bits and joins it to itself by xor; from 16 bits on, doing that twice undoes it. */
export const fold = (value: Vector, by: number): Vector => v128.xor(value, i32x4.shr_u(value, i32.const(by)))

/** `fmix32` of @mk/tensor/runtime without the folds by 16 bits at its begin and end. */
function mix(folded: Vector, keep: Keep): Vector {
  const h = keep(i32x4.mul(folded, i32x4.const(0x85ebca6b)))
  return i32x4.mul(fold(h, 13), i32x4.const(0xc2b2ae35))
}
