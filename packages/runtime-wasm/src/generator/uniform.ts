import { f32x4, i32, i32x4, v128, type Vector } from '@mk/wasm-encoder'
import type { Keep } from './minifloat.ts'

/** What the elements of one call have in common, each as four equal lanes. */
export interface UniformCall {
  /** Low word of the first element's flat index, plus the key's low word. */
  readonly low: Vector
  /** `uniformHigh` of the first element. */
  readonly high: Vector
  /** What to xor to it past the next multiple of 2^32, and the index in the call of the last element before that; absent: there is none. */
  readonly change?: { readonly high: Vector; readonly lastBefore: Vector }
}

/** Computes `uniformAt` of @mk/tensor/runtime for four elements, given their index in the call. */
export function uniformLanes({ low, high, change }: UniformCall, indices: Vector, keep: Keep): Vector {
  const h = mix(i32x4.add(indices, low), keep)
  const highs = change ? v128.xor(high, v128.and(i32x4.gt_s(indices, change.lastBefore), change.high)) : high
  const mixed = mix(v128.xor(h, highs), keep)
  return f32x4.mul(f32x4.convert_i32x4_s(i32x4.shr_u(mixed, i32.const(8))), f32x4.const(2 ** -24))
}

/** `fmix32` of @mk/tensor/runtime. */
function mix(value: Vector, keep: Keep): Vector {
  let h = keep(value)
  const fold = (by: number): Vector => v128.xor(h, i32x4.shr_u(h, i32.const(by)))
  h = keep(i32x4.mul(fold(16), i32x4.const(0x85ebca6b)))
  h = keep(i32x4.mul(fold(13), i32x4.const(0xc2b2ae35)))
  return keep(fold(16))
}
