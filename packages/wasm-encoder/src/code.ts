import { type Bytes, unsigned } from './bytes.ts'

/** The types of values that this encoder knows (WebAssembly specification, 2.3). */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

/** A piece of code that leaves one value of type T on the stack, or none. */
export interface Code<T extends ValueType | 'none'> {
  readonly type: T
  readonly bytes: Bytes
}

/** A piece of code that leaves nothing on the stack. */
export type Statement = Code<'none'>

/** A parameter or variable of a function. */
export interface Local<T extends ValueType> {
  readonly type: T
  readonly index: number
}

export const code = <T extends ValueType | 'none'>(type: T, bytes: Bytes): Code<T> => ({ type, bytes })

/** local.get */
export const get = <T extends ValueType>(local: Local<T>): Code<T> => code(local.type, [0x20, unsigned(local.index)])
/** local.set */
export const set = <T extends ValueType>(local: Local<T>, value: Code<NoInfer<T>>): Statement =>
  code('none', [value.bytes, 0x21, unsigned(local.index)])

export const sequence = (statements: readonly Statement[]): Statement =>
  code(
    'none',
    statements.map(({ bytes }) => bytes),
  )

const noResult = 0x40

/** if, and else where there are statements for it. */
export const when = (
  condition: Code<'i32'>,
  then: readonly Statement[],
  otherwise: readonly Statement[] = [],
): Statement =>
  code('none', [
    condition.bytes,
    0x04,
    noResult,
    sequence(then).bytes,
    otherwise.length > 0 ? [0x05, sequence(otherwise).bytes] : [],
    0x0b,
  ])

/** Runs the body once, and again as long as the condition holds after it. */
export const repeat = (body: readonly Statement[], again: Code<'i32'>): Statement =>
  code('none', [0x03, noResult, sequence(body).bytes, again.bytes, 0x0d, 0, 0x0b])

/** Runs the body as long as the condition holds before it. The condition is emitted twice, so that each round has a single jump. */
export const loopWhile = (condition: Code<'i32'>, body: readonly Statement[]): Statement =>
  when(condition, [repeat(body, condition)])

/** call: of a function of the module, by its index */
export const call = (functionIndex: number, values: readonly Code<ValueType>[]): Statement =>
  code('none', [values.map(({ bytes }) => bytes), 0x10, unsigned(functionIndex)])
