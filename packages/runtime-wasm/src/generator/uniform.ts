import { i32 } from '../encoder/scalar.ts'
import { f32x4, i32x4, v128, type Vector } from '../encoder/simd.ts'
import type { Keep } from './minifloat.ts'

/** What the elements of one call have in common, each as four equal lanes. */
export interface UniformCall {
  /** Low word of the first element's flat index, plus the key's low word. */
  readonly low: Vector
  /** `uniformBlock` of the first element, and what to xor to it for elements in the next block of 2^32. */
  readonly block: Vector
  readonly blockChange: Vector
  /** Index in the call of the last element of the first block. */
  readonly lastOfBlock: Vector
}

/** `uniformAt` of @mk/tensor for four elements, given their index in the call. */
export function uniformLanes(
  { low, block, blockChange, lastOfBlock }: UniformCall,
  indices: Vector,
  keep: Keep,
): Vector {
  const changed = v128.and(i32x4.greaterSigned(indices, lastOfBlock), blockChange)
  const h = mix(i32x4.add(indices, low), keep)
  const mixed = mix(v128.xor(h, v128.xor(block, changed)), keep)
  return f32x4.mul(f32x4.fromI32(i32x4.shiftRight(mixed, i32.const(8))), f32x4.const(2 ** -24))
}

/** `fmix32` of @mk/tensor. */
function mix(value: Vector, keep: Keep): Vector {
  let h = keep(value)
  const fold = (by: number): Vector => v128.xor(h, i32x4.shiftRight(h, i32.const(by)))
  h = keep(i32x4.mul(fold(16), i32x4.const(0x85ebca6b)))
  h = keep(i32x4.mul(fold(13), i32x4.const(0xc2b2ae35)))
  return keep(fold(16))
}
