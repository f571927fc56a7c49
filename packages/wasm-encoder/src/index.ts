export {
  call,
  type Code,
  get,
  type Local,
  loopWhile,
  repeat,
  set,
  type Statement,
  type ValueType,
  when,
} from './code.ts'
export { defineFunction, encodeModule, type FunctionCode, type FunctionScope } from './module.ts'
export { f32, f64, i32, i64, memory, select } from './scalar.ts'
export { f32x4, f64x2, i16x8, i32x4, i64x2, i8x16, v128, type Vector } from './simd.ts'
