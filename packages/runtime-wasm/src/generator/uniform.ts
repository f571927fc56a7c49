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
 * Computes the words of which `bitsOf` makes the 24 bits of `uniformAt` of @mk/tensor/runtime, for four elements.
 * @param indices in the call
 * @param lows the low words of the elements' flat indexes, plus the key's low word
 */
export function uniformWords({ high, change }: UniformCall, indices: Vector, lows: Vector, keep: Keep): Vector {
  const highs = change ? v128.xor(high, v128.and(i32x4.gt_s(indices, change.lastBefore), change.high)) : high
  // The first `fmix32` ends by the fold with which the second begins, and folding twice undoes it.
  const first = mix(keep(fold(lows, 16)), keep)
  return mix(keep(v128.xor(first, highs)), keep)
}

/** Computes the bits that a word is folded to. */
const bitsOf = (word: Vector): Vector => i32x4.shr_u(fold(word, 16), i32.const(8))

/** Computes the float32 that a word stands for. */
export const uniformOf = (word: Vector): Vector => f32x4.mul(f32x4.convert_i32x4_s(bitsOf(word)), f32x4.const(2 ** -24))

/** Computes the bits below which those of all numbers are that are less than a float32. */
const bitsBelow = (limit: Vector): Vector => i32x4.trunc_sat_f32x4_s(f32x4.ceil(f32x4.mul(limit, f32x4.const(2 ** 24))))

/** Compares what words stand for with a limit. */
export const isLess = (word: Vector, limit: Vector): Vector => i32x4.lt_s(bitsOf(word), bitsBelow(limit))

/** The largest limit that `isLessThanFraction` is for. */
export const LARGEST_FRACTION = 1 - 2 ** -24

/**
 * The same for limits up to LARGEST_FRACTION, in half the instructions: a folded word has the upper half of the word, and where that is the
 * limit's, too, its lower half is folded by the limit's upper half.
 */
export function isLessThanFraction(word: Vector, limit: Vector): Vector {
  const bits = i32x4.shl(i32x4.max_s(bitsBelow(limit), i32x4.const(0)), i32.const(8))
  const sign = i32x4.const(0x80000000)
  return i32x4.lt_s(v128.xor(word, v128.xor(i32x4.shr_u(bits, i32.const(16)), sign)), v128.xor(bits, sign))
}

/** Moves a word down by so many bits and joins it to itself by xor; from 16 bits on, doing that twice undoes it. */
export const fold = (value: Vector, by: number): Vector => v128.xor(value, i32x4.shr_u(value, i32.const(by)))

/** `fmix32` of @mk/tensor/runtime without the folds by 16 bits at its begin and end. */
function mix(folded: Vector, keep: Keep): Vector {
  const h = keep(i32x4.mul(folded, i32x4.const(0x85ebca6b)))
  return i32x4.mul(fold(h, 13), i32x4.const(0xc2b2ae35))
}
