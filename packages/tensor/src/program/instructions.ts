import { isOperation, type Kind, type OperandsOf, type Operation, operations } from '../language/operations.ts'

type Slots = Readonly<Record<string, 'input' | 'scalar' | 'vector'>>

/** Instructions that take what each call brings: their slots by name, in the order in which they are written. */
export const sources = {
  input: { slots: { slot: 'input' }, result: 'value' },
  /** The scalar, rounded to float32. */
  scalar: { slots: { slot: 'scalar' }, result: 'value' },
  vector: { slots: { slot: 'vector' }, result: 'value' },
  /** `uniformAt` of numbers/random.ts: keyed by the 32-bit words in scalar slots `high` and `low`. */
  uniform: { slots: { high: 'scalar', low: 'scalar' }, result: 'value' },
  /** True where the element's flat index is less than the scalar, which is exact up to 2^53. */
  before: { slots: { slot: 'scalar' }, result: 'mask' },
} as const satisfies Readonly<Record<string, { readonly slots: Slots; readonly result: Kind }>>

type Source = keyof typeof sources

/** A step that takes what a call brings: elements of an input, a scalar, a vector's value, a random number. */
export type SourceInstruction = {
  [Op in Source]: { readonly op: Op } & { readonly [Name in keyof (typeof sources)[Op]['slots']]: number }
}[Source]

/** An operation on earlier instructions, by their positions. */
export type OperationInstruction<Op extends Operation = Operation> = {
  [Name in Op]: { readonly op: Name } & OperandsOf<Name, number>
}[Op]

/** A step of a program: it takes what a call brings, or results of earlier steps. */
export type Instruction = SourceInstruction | OperationInstruction

/** Operations that need whole rows, and those that take each element by itself. */
export type RowOperation = {
  [Op in Operation]: (typeof operations)[Op] extends { readonly wholeRows: true } ? Op : never
}[Operation]

/** Operations that take each element by itself. */
export type ElementOperation = Exclude<Operation, RowOperation>

/** Tells whether an instruction needs whole rows of its operand. */
export const isRowOperation = (instruction: Instruction): instruction is OperationInstruction<RowOperation> =>
  isOperation(instruction.op) && 'wholeRows' in operations[instruction.op]

/** Tells whether an instruction takes what each call brings. */
export const isSource = (instruction: Instruction): instruction is SourceInstruction =>
  Object.hasOwn(sources, instruction.op)

/** Tells of a well-formed instruction whether it gives values or masks. */
export const kindOf = ({ op }: Instruction): Kind => (isOperation(op) ? operations[op].result : sources[op].result)

/** Lists the positions of the instructions that one takes values or masks of. */
export function operandsOf(instruction: Instruction): readonly number[] {
  if (isSource(instruction)) return []
  const fields = instruction as unknown as Readonly<Record<string, number>>
  return Object.keys(operations[instruction.op].operands).map((name) => fields[name]!)
}

/**
 * What a runtime makes of each operation: something of type T from the like for its operands. To leave one out is a type error.
 * `Context` is what else it needs.
 */
export type OperationTable<T, Context extends readonly unknown[] = [], Op extends Operation = Operation> = {
  readonly [Name in Op]: (operands: OperandsOf<Name, T>, ...context: Context) => T
}

/** Looks an instruction up in a table, and makes something of it. */
export function applyOperation<T, Context extends readonly unknown[], Op extends Operation>(
  table: OperationTable<T, Context, Op>,
  instruction: OperationInstruction<NoInfer<Op>>,
  operand: (position: number) => T,
  ...context: NoInfer<Context>
): T {
  const names = Object.keys(operations[instruction.op].operands)
  const fields = instruction as unknown as Readonly<Record<string, number>>
  const operands = Object.fromEntries(names.map((name) => [name, operand(fields[name]!)]))
  const make = table[instruction.op] as (operands: Readonly<Record<string, T>>, ...context: Context) => T
  return make(operands, ...context)
}
