import { type Bytes, float32Bytes, float64Bytes, unsigned } from './bytes.ts'
import { code, type Code, type Statement, type ValueType } from './code.ts'

/** A piece of code that leaves 128 bits on the stack. */
export type Vector = Code<'v128'>

const simd = (opcode: number): Bytes => [0xfd, unsigned(opcode)]
const unary = (opcode: number) => {
  const operation = simd(opcode)
  return (a: Vector): Vector => code('v128', [a.bytes, operation])
}
const binary = (opcode: number) => {
  const operation = simd(opcode)
  return (a: Vector, b: Vector): Vector => code('v128', [a.bytes, b.bytes, operation])
}
const shift =
  (opcode: number) =>
  (a: Vector, count: Code<'i32'>): Vector =>
    code('v128', [a.bytes, count.bytes, simd(opcode)])
const reduce =
  (opcode: number) =>
  (a: Vector): Code<'i32'> =>
    code('i32', [a.bytes, simd(opcode)])
const splat =
  <T extends ValueType>(opcode: number, _operand: T) =>
  (a: Code<T>): Vector =>
    code('v128', [a.bytes, simd(opcode)])
const extract =
  <T extends ValueType>(opcode: number, result: T) =>
  (a: Vector, lane: number): Code<T> =>
    code(result, [a.bytes, simd(opcode), lane])
const replace =
  <T extends ValueType>(opcode: number, _operand: T) =>
  (a: Vector, lane: number, value: Code<T>): Vector =>
    code('v128', [a.bytes, value.bytes, simd(opcode), lane])
const loadLane =
  (opcode: number) =>
  (address: Code<'i32'>, value: Vector, lane: number, offset = 0): Vector =>
    code('v128', [address.bytes, value.bytes, simd(opcode), 0, unsigned(offset), lane])
const storeLane =
  (opcode: number) =>
  (address: Code<'i32'>, value: Vector, lane: number, offset = 0): Statement =>
    code('none', [address.bytes, value.bytes, simd(opcode), 0, unsigned(offset), lane])
const load =
  (opcode: number) =>
  (address: Code<'i32'>, offset = 0): Vector =>
    code('v128', [address.bytes, simd(opcode), 0, unsigned(offset)])

// Instructions go by the names that the WebAssembly specification gives them.

/** Instructions on 128 bits, whatever their lanes. */
export const v128 = {
  load: load(0),
  /** Four 16-bit integers, widened with their sign. */
  load16x4_s: load(3),
  /** One float32 or other 32 bits to all lanes. */
  load32_splat: load(9),
  /** One float64 or other 64 bits to both lanes. */
  load64_splat: load(10),
  load32_zero: load(92),
  load64_zero: load(93),
  /** Replaces one lane of a vector by 32 bits. */
  load32_lane: loadLane(86),
  store: (address: Code<'i32'>, value: Vector, offset = 0): Statement =>
    code('none', [address.bytes, value.bytes, simd(11), 0, unsigned(offset)]),
  /** Writes one lane of eight. */
  store16_lane: storeLane(89),
  /** Writes the lower or upper half. */
  store64_lane: storeLane(91),
  not: unary(77),
  /** Whether any bit is set. */
  any_true: reduce(83),
  and: binary(78),
  /** Bits of a where b has zeros. */
  andnot: binary(79),
  or: binary(80),
  xor: binary(81),
  /** Bits of a where the mask has ones, of b elsewhere. */
  bitselect: (a: Vector, b: Vector, mask: Vector): Vector => code('v128', [a.bytes, b.bytes, mask.bytes, simd(82)]),
}

/** Instructions on sixteen lanes of bytes. */
export const i8x16 = {
  /** Bytes 0–15 are a's, 16–31 b's. */
  shuffle: (a: Vector, b: Vector, bytes: readonly number[]): Vector =>
    code('v128', [a.bytes, b.bytes, simd(13), bytes]),
  /** Bytes of a chosen by those of b, zero where there is none. */
  swizzle: binary(14),
  narrow_i16x8_s: binary(101),
  narrow_i16x8_u: binary(102),
  shl: shift(107),
  bitmask: reduce(100),
}

/** Instructions on eight lanes of 16-bit integers. */
export const i16x8 = {
  splat: splat(16, 'i32'),
  lt_s: binary(47),
  extend_low_i8x16_s: unary(135),
  extend_low_i8x16_u: unary(137),
  narrow_i32x4_s: binary(133),
  narrow_i32x4_u: binary(134),
  bitmask: reduce(132),
  add: binary(142),
  sub: binary(145),
  /** What is less than 0 becomes 0. */
  sub_sat_u: binary(147),
  min_u: binary(151),
}

/** Instructions on four lanes of 32-bit integers. */
export const i32x4 = {
  const: (...lanes: readonly [number] | readonly [number, number, number, number]): Vector =>
    code('v128', [
      simd(12),
      [0, 1, 2, 3].map((lane) => {
        const value = lanes[lane] ?? lanes[0]
        return [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255]
      }),
    ]),
  splat: splat(17, 'i32'),
  extract_lane: extract(27, 'i32'),
  eq: binary(55),
  lt_s: binary(57),
  gt_s: binary(59),
  extend_low_i16x8_s: unary(167),
  extend_high_i16x8_s: unary(168),
  extend_low_i16x8_u: unary(169),
  extend_high_i16x8_u: unary(170),
  shl: shift(171),
  shr_s: shift(172),
  shr_u: shift(173),
  add: binary(174),
  sub: binary(177),
  mul: binary(181),
  min_s: binary(182),
  min_u: binary(183),
  max_s: binary(184),
  max_u: binary(185),
  trunc_sat_f32x4_s: unary(248),
  trunc_sat_f32x4_u: unary(249),
}

/** Instructions on two lanes of 64-bit integers. */
export const i64x2 = {
  gt_s: binary(217),
}

/** Instructions on four lanes of float32. */
export const f32x4 = {
  const: (value: number): Vector => code('v128', [simd(12), [0, 1, 2, 3].map(() => float32Bytes(value))]),
  splat: splat(19, 'f32'),
  extract_lane: extract(31, 'f32'),
  replace_lane: replace(32, 'f32'),
  eq: binary(65),
  ne: binary(66),
  lt: binary(67),
  gt: binary(68),
  le: binary(69),
  ge: binary(70),
  ceil: unary(103),
  floor: unary(104),
  nearest: unary(106),
  abs: unary(224),
  sqrt: unary(227),
  add: binary(228),
  sub: binary(229),
  mul: binary(230),
  div: binary(231),
  min: binary(232),
  max: binary(233),
  /** The smaller one by a comparison alone: a where either is NaN. */
  pmin: binary(234),
  /** The larger one by a comparison alone: a where either is NaN. */
  pmax: binary(235),
  convert_i32x4_s: unary(250),
  convert_i32x4_u: unary(251),
  /** Lanes 0 and 1 from float64, lanes 2 and 3 zero. */
  demote_f64x2_zero: unary(94),
}

/** Instructions on two lanes of float64. */
export const f64x2 = {
  const: (value: number): Vector => code('v128', [simd(12), [0, 1].map(() => float64Bytes(value))]),
  splat: splat(20, 'f64'),
  extract_lane: extract(33, 'f64'),
  add: binary(240),
  sub: binary(241),
  mul: binary(242),
  min: binary(244),
  max: binary(245),
  /** Widens lanes 0 and 1 of float32. */
  promote_low_f32x4: unary(95),
}
