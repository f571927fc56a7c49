import { float32Bytes, signed, unsigned } from './bytes.ts'
import { code, type Code, type Statement, type ValueType } from './code.ts'

const unary =
  <A extends ValueType, R extends ValueType>(opcode: number, _operand: A, result: R) =>
  (a: Code<A>): Code<R> =>
    code(result, [a.bytes, opcode])
const binary =
  <A extends ValueType, R extends ValueType>(opcode: number, _operand: A, result: R) =>
  (a: Code<A>, b: Code<A>): Code<R> =>
    code(result, [a.bytes, b.bytes, opcode])

const load =
  <R extends ValueType>(opcode: number, result: R) =>
  (address: Code<'i32'>, offset = 0): Code<R> =>
    code(result, [address.bytes, opcode, 0, unsigned(offset)])
const store =
  <A extends ValueType>(opcode: number, _operand: A) =>
  (address: Code<'i32'>, value: Code<A>, offset = 0): Statement =>
    code('none', [address.bytes, value.bytes, opcode, 0, unsigned(offset)])

// Instructions go by the names that the WebAssembly specification gives them.

/** Instructions on 32-bit integers, under the names of the WebAssembly specification. */
export const i32 = {
  const: (value: number): Code<'i32'> => code('i32', [0x41, signed(value | 0)]),
  load: load(0x28, 'i32'),
  load16_u: load(0x2f, 'i32'),
  store: store(0x36, 'i32'),
  /** Writes the low half. */
  store16: store(0x3b, 'i32'),
  eqz: unary(0x45, 'i32', 'i32'),
  lt_u: binary(0x49, 'i32', 'i32'),
  clz: unary(0x67, 'i32', 'i32'),
  ctz: unary(0x68, 'i32', 'i32'),
  popcnt: unary(0x69, 'i32', 'i32'),
  add: binary(0x6a, 'i32', 'i32'),
  sub: binary(0x6b, 'i32', 'i32'),
  mul: binary(0x6c, 'i32', 'i32'),
  and: binary(0x71, 'i32', 'i32'),
  or: binary(0x72, 'i32', 'i32'),
  xor: binary(0x73, 'i32', 'i32'),
  shl: binary(0x74, 'i32', 'i32'),
  shr_u: binary(0x76, 'i32', 'i32'),
  wrap_i64: unary(0xa7, 'i64', 'i32'),
}

/** Instructions on 64-bit integers, under the names of the WebAssembly specification. */
export const i64 = {
  const: (value: number): Code<'i64'> => code('i64', [0x42, signed(value)]),
  load: load(0x29, 'i64'),
  store: store(0x37, 'i64'),
  or: binary(0x84, 'i64', 'i64'),
  lt_s: binary(0x53, 'i64', 'i32'),
  shl: binary(0x86, 'i64', 'i64'),
  shr_u: binary(0x88, 'i64', 'i64'),
  extend_i32_u: unary(0xad, 'i32', 'i64'),
  trunc_sat_f32_s: (a: Code<'f32'>): Code<'i64'> => code('i64', [a.bytes, 0xfc, 4]),
  trunc_sat_f32_u: (a: Code<'f32'>): Code<'i64'> => code('i64', [a.bytes, 0xfc, 5]),
}

/** Instructions on float32, under the names of the WebAssembly specification. */
export const f32 = {
  load: load(0x2a, 'f32'),
  store: store(0x38, 'f32'),
  const: (value: number): Code<'f32'> => code('f32', [0x43, float32Bytes(value)]),
  eq: binary(0x5b, 'f32', 'i32'),
  ne: binary(0x5c, 'f32', 'i32'),
  div: binary(0x95, 'f32', 'f32'),
  mul: binary(0x94, 'f32', 'f32'),
  demote_f64: unary(0xb6, 'f64', 'f32'),
  convert_i32_s: unary(0xb2, 'i32', 'f32'),
  convert_i64_s: unary(0xb4, 'i64', 'f32'),
  convert_i64_u: unary(0xb5, 'i64', 'f32'),
}

/** Instructions on float64, under the names of the WebAssembly specification. */
export const f64 = {
  load: load(0x2b, 'f64'),
  store: store(0x39, 'f64'),
  add: binary(0xa0, 'f64', 'f64'),
  sub: binary(0xa1, 'f64', 'f64'),
  mul: binary(0xa2, 'f64', 'f64'),
  div: binary(0xa3, 'f64', 'f64'),
  min: binary(0xa4, 'f64', 'f64'),
  max: binary(0xa5, 'f64', 'f64'),
  convert_i32_s: unary(0xb7, 'i32', 'f64'),
  promote_f32: unary(0xbb, 'f32', 'f64'),
}

/** Takes a where the condition isn't 0, else b. */
export const select = <T extends 'i32' | 'i64' | 'f32' | 'f64'>(
  a: Code<T>,
  b: Code<NoInfer<T>>,
  condition: Code<'i32'>,
): Code<T> => code(a.type, [a.bytes, b.bytes, condition.bytes, 0x1b])

/** Instructions on ranges of the memory. */
export const memory = {
  copy: (to: Code<'i32'>, from: Code<'i32'>, byteCount: Code<'i32'>): Statement =>
    code('none', [to.bytes, from.bytes, byteCount.bytes, 0xfc, 10, 0, 0]),
  fill: (to: Code<'i32'>, byte: Code<'i32'>, byteCount: Code<'i32'>): Statement =>
    code('none', [to.bytes, byte.bytes, byteCount.bytes, 0xfc, 11, 0]),
}
