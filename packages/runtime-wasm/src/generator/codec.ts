import type { Dtype } from '@mk/safetensors'
import {
  type Code,
  f32,
  f32x4,
  f64x2,
  i16x8,
  i32,
  i32x4,
  i64,
  i8x16,
  type Statement,
  v128,
  type Vector,
} from '@mk/wasm-encoder'
import { wholeNumber } from './elementary.ts'
import { decodeMinifloat, encodeMinifloat, float16, float8E4M3, float8E5M2, type Keep } from './minifloat.ts'

type Address = Code<'i32'>
/** Eight consecutive elements. */
export type Eight = readonly [Vector, Vector]

const zero = i32x4.const(0)
const lowHalves = [0, 1, 16, 17, 2, 3, 18, 19, 4, 5, 20, 21, 6, 7, 22, 23]
const highHalves = lowHalves.map((byte) => byte + 8)
const lowBytes = [16, 16, 16, 0, 16, 16, 16, 1, 16, 16, 16, 2, 16, 16, 16, 3]
const highBytes = lowBytes.map((byte) => (byte < 16 ? byte + 4 : byte))
const lanes = [0, 1, 2, 3] as const

/** Reads eight elements as float32; it may read up to eight bytes per element past the address. */
export function loadEight(dtype: Dtype, address: Address, offset: number, keep: Keep): Eight {
  const bothHalves = (): Vector => keep(v128.load(address, offset))
  switch (dtype) {
    case 'F32':
      return [v128.load(address, offset), v128.load(address, offset + 16)]
    case 'BF16':
      return inTopHalves(bothHalves())
    case 'F16': {
      const [a, b] = inTopHalves(bothHalves())
      return [decodeMinifloat(float16, keep(a), keep), decodeMinifloat(float16, keep(b), keep)]
    }
    case 'F8_E5M2':
    case 'F8_E4M3': {
      const bytes = keep(v128.load64_zero(address, offset))
      const format = dtype === 'F8_E5M2' ? float8E5M2 : float8E4M3
      const decodeFrom = (places: readonly number[]): Vector =>
        decodeMinifloat(format, keep(i8x16.shuffle(bytes, zero, places)), keep)
      return [decodeFrom(lowBytes), decodeFrom(highBytes)]
    }
    case 'F64':
      return [fourDoubles(address, offset), fourDoubles(address, offset + 32)]
    case 'I16': {
      const halves = bothHalves()
      return [
        f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(halves)),
        f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(halves)),
      ]
    }
    case 'U16':
      return fromHalves(bothHalves())
    case 'I8': {
      const halves = keep(i16x8.extend_low_i8x16_s(v128.load64_zero(address, offset)))
      return [
        f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(halves)),
        f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(halves)),
      ]
    }
    case 'U8':
      return fromHalves(keep(i16x8.extend_low_i8x16_u(v128.load64_zero(address, offset))))
    case 'BOOL': {
      const halves = keep(i16x8.extend_low_i8x16_u(v128.load64_zero(address, offset)))
      const oneWhere = (words: Vector): Vector => f32x4.convert_i32x4_s(i32x4.min_s(words, i32x4.const(1)))
      return [oneWhere(i32x4.extend_low_i16x8_u(halves)), oneWhere(i32x4.extend_high_i16x8_u(halves))]
    }
    case 'I32':
      return [f32x4.convert_i32x4_s(v128.load(address, offset)), f32x4.convert_i32x4_s(v128.load(address, offset + 16))]
    case 'U32':
      return [f32x4.convert_i32x4_u(v128.load(address, offset)), f32x4.convert_i32x4_u(v128.load(address, offset + 16))]
    case 'I64':
    case 'U64': {
      const convert = dtype === 'I64' ? f32.convert_i64_s : f32.convert_i64_u
      const four = (from: number): Vector =>
        lanes.reduce(
          (vector, lane) => f32x4.replace_lane(vector, lane, convert(i64.load(address, from + 8 * lane))),
          zero,
        )
      return [four(offset), four(offset + 32)]
    }
    default:
      return dtype satisfies never
  }
}

// Zero comes first, so that the pattern is one that processors have an instruction for.
const inTopHalves = (halves: Vector): Eight => [
  i8x16.shuffle(zero, halves, lowHalves),
  i8x16.shuffle(zero, halves, highHalves),
]

const fromHalves = (halves: Vector): Eight => [
  f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_u(halves)),
  f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_u(halves)),
]

const fourDoubles = (address: Address, offset: number): Vector =>
  i8x16.shuffle(
    f32x4.demote_f64x2_zero(v128.load(address, offset)),
    f32x4.demote_f64x2_zero(v128.load(address, offset + 16)),
    [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23],
  )

/** Moves lanes 2 and 3 to 0 and 1. */
export const upperPair = (vector: Vector): Vector =>
  i8x16.shuffle(vector, vector, [8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15])

/** Rounds eight float32 values to elements and writes exactly those. */
export function storeEight(
  dtype: Dtype,
  address: Address,
  offset: number,
  [a, b]: Eight,
  keep: Keep,
): readonly Statement[] {
  const storeHalves = (halves: Vector): readonly Statement[] => [v128.store(address, halves, offset)]
  const storeBytes = (bytes: Vector): readonly Statement[] => [v128.store64_lane(address, bytes, 0, offset)]
  const whole = (vector: Vector): Vector => i32x4.trunc_sat_f32x4_s(f32x4.nearest(vector))
  // NaN becomes 0, what adds a large number rounds to nearest even, and what is too large for that is so for the narrower integer, too.
  const notNegative = (vector: Vector): Vector => wholeNumber(f32x4.pmax(f32x4.const(0), vector))
  switch (dtype) {
    case 'F32':
      return [v128.store(address, a, offset), v128.store(address, b, offset + 16)]
    case 'BF16': {
      const halves = roundedNumbers([a, b])
      const isNaN = i16x8.narrow_i32x4_s(f32x4.ne(a, a), f32x4.ne(b, b))
      return storeHalves(v128.bitselect(i32x4.const(0x7fc07fc0), halves, isNaN))
    }
    case 'F16':
      return storeHalves(i16x8.narrow_i32x4_u(encodeMinifloat(float16, a, keep), encodeMinifloat(float16, b, keep)))
    case 'F8_E5M2':
    case 'F8_E4M3': {
      const format = dtype === 'F8_E5M2' ? float8E5M2 : float8E4M3
      const halves = keep(i16x8.narrow_i32x4_u(encodeMinifloat(format, a, keep), encodeMinifloat(format, b, keep)))
      return storeBytes(i8x16.narrow_i16x8_u(halves, halves))
    }
    case 'F64':
      return [a, upperPair(a), b, upperPair(b)].map((pair, index) =>
        v128.store(address, f64x2.promote_low_f32x4(pair), offset + 16 * index),
      )
    case 'I16':
      return storeHalves(i16x8.narrow_i32x4_s(whole(a), whole(b)))
    case 'U16':
      return storeHalves(i16x8.narrow_i32x4_u(notNegative(a), notNegative(b)))
    case 'I8': {
      const halves = keep(i16x8.narrow_i32x4_s(whole(a), whole(b)))
      return storeBytes(i8x16.narrow_i16x8_s(halves, halves))
    }
    case 'U8': {
      const halves = keep(i16x8.narrow_i32x4_s(notNegative(a), notNegative(b)))
      return storeBytes(i8x16.narrow_i16x8_u(halves, halves))
    }
    case 'BOOL': {
      const nonzero = (vector: Vector): Vector => f32x4.ne(vector, zero)
      const halves = keep(i16x8.narrow_i32x4_s(nonzero(a), nonzero(b)))
      return storeBytes(v128.and(i8x16.narrow_i16x8_s(halves, halves), i32x4.const(0x01010101)))
    }
    case 'I32':
    case 'U32': {
      const convert = dtype === 'I32' ? i32x4.trunc_sat_f32x4_s : i32x4.trunc_sat_f32x4_u
      return [a, b].map((four, index) => v128.store(address, convert(f32x4.nearest(four)), offset + 16 * index))
    }
    case 'I64':
    case 'U64': {
      const convert = dtype === 'I64' ? i64.trunc_sat_f32_s : i64.trunc_sat_f32_u
      return [a, b].flatMap((four, index) => {
        const rounded = keep(f32x4.nearest(four))
        return lanes.map((lane) =>
          i64.store(address, convert(f32x4.extract_lane(rounded, lane)), offset + 32 * index + 8 * lane),
        )
      })
    }
    default:
      return dtype satisfies never
  }
}

/** Rounds eight float32 values to bfloat16, none of them NaN. */
export const roundedNumbers = ([a, b]: Eight): Vector => i16x8.narrow_i32x4_u(roundToBfloat16(a), roundToBfloat16(b))

/** The bfloat16 in the lower half of each lane, but for NaN. */
function roundToBfloat16(x: Vector): Vector {
  const odd = v128.and(i32x4.shr_u(x, i32.const(16)), i32x4.const(1))
  const rounded = i32x4.add(i32x4.add(x, i32x4.const(0x7fff)), odd)
  return i32x4.shr_u(rounded, i32.const(16))
}
