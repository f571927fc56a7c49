import { type Bytes, flatten, sized, text, unsigned, vectorOf } from './bytes.ts'
import { type Local, type Statement, sequence, type ValueType } from './code.ts'

/** Where the body of a function gets its variables from. */
export interface FunctionScope {
  local<T extends ValueType>(type: T): Local<T>
}

/** A function without result. Its index among the module's functions is its place in the list. */
export interface FunctionCode {
  readonly params: readonly ValueType[]
  readonly locals: readonly ValueType[]
  readonly body: Statement
}

const typeBytes: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b }

/** Makes a function from code over its parameters; more locals come from the scope. */
export function defineFunction<const P extends readonly ValueType[]>(
  params: P,
  body: (scope: FunctionScope, parameters: { [K in keyof P]: Local<P[K]> }) => readonly Statement[],
): FunctionCode {
  const locals: ValueType[] = []
  const scope: FunctionScope = { local: (type) => ({ type, index: params.length + locals.push(type) - 1 }) }
  const parameters = params.map((type, index) => ({ type, index })) as { [K in keyof P]: Local<P[K]> }
  return { params, body: sequence(body(scope, parameters)), locals }
}

/**
 * Encodes a module that imports `env.memory` and exports the last of its functions as `run`.
 * @param memoryPages of a memory of that fixed size; or 'any': of one with a maximum, whatever it is
 */
export function encodeModule(memoryPages: number | 'any', functions: readonly FunctionCode[]): Uint8Array<ArrayBuffer> {
  const [least, most] = memoryPages === 'any' ? [0, 65536] : [memoryPages, memoryPages]
  const section = (id: number, items: readonly Bytes[]): Bytes => [id, sized(vectorOf(items))]
  return flatten([
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(
      1,
      functions.map(({ params }) => [0x60, vectorOf(params.map((type) => typeBytes[type])), 0]),
    ),
    section(2, [[text('env'), text('memory'), 0x02, 0x01, unsigned(least), unsigned(most)]]),
    section(
      3,
      functions.map((_, index) => unsigned(index)),
    ),
    section(7, [[text('run'), 0x00, unsigned(functions.length - 1)]]),
    section(
      10,
      functions.map(({ locals, body }) => sized([vectorOf(runs(locals)), body.bytes, 0x0b])),
    ),
  ])
}

function runs(locals: readonly ValueType[]): Bytes[] {
  const groups: { type: ValueType; count: number }[] = []
  for (const type of locals) {
    const last = groups.at(-1)
    if (last?.type === type) last.count++
    else groups.push({ type, count: 1 })
  }
  return groups.map(({ type, count }) => [unsigned(count), typeBytes[type]])
}
