import {
  applyOperation,
  type ElementOperation,
  type OperationInstruction,
  type OperationTable,
} from '@mk/tensor/runtime'
import { f32x4, get, i32x4, v128, type Vector } from '@mk/wasm-encoder'
import { expLanes, logLanes } from './elementary.ts'
import type { Emission } from './emission.ts'
import type { Keep } from './minifloat.ts'
import { isLess, isLessThanFraction } from './uniform.ts'

type Computed = Exclude<ElementOperation, 'and' | 'lt' | 'maximum' | 'minimum' | 'select'>

/** Four elements of each operation, from four of its operands, whatever these are. Masks have all bits or none set. */
const kernels: OperationTable<Vector, readonly [keep: Keep], Computed> = {
  sqrt: ({ a }) => f32x4.sqrt(a),
  // As bit operations these take one instruction, since their constants stay in a register.
  abs: ({ a }) => v128.and(a, i32x4.const(0x7fffffff)),
  neg: ({ a }) => v128.xor(a, i32x4.const(0x80000000)),
  exp: ({ a }, keep) => expLanes(a, keep),
  log: ({ a }, keep) => logLanes(a, keep),
  add: ({ a, b }) => f32x4.add(a, b),
  sub: ({ a, b }) => f32x4.sub(a, b),
  mul: ({ a, b }) => f32x4.mul(a, b),
  div: ({ a, b }) => f32x4.div(a, b),
  le: ({ a, b }) => f32x4.le(a, b),
  gt: ({ a, b }) => f32x4.gt(a, b),
  ge: ({ a, b }) => f32x4.ge(a, b),
  eq: ({ a, b }) => f32x4.eq(a, b),
  ne: ({ a, b }) => f32x4.ne(a, b),
  or: ({ a, b }) => v128.or(a, b),
  not: ({ a }) => v128.not(a),
}

/** The mask that an operand is, or is the opposite of, without one that is an opposite itself. */
export function plainMask(
  emission: Emission,
  operand: number,
): { readonly mask: number; readonly isOpposite: boolean } {
  const instruction = emission.program.instructions[operand]!
  if (instruction.op !== 'not') return { mask: operand, isOpposite: false }
  const { mask, isOpposite } = plainMask(emission, instruction.a)
  return { mask, isOpposite: !isOpposite }
}

/** Takes one mask without another in an instruction, where one of the two is an opposite. Unread, that costs nothing: engines leave it out. */
function conjunction(emission: Emission, { a, b }: { readonly a: number; readonly b: number }, group: number): Vector {
  const [first, second] = [plainMask(emission, a), plainMask(emission, b)]
  const [ofA, ofB] = [first, second].map(({ mask }) => emission.value(mask, group)) as [Vector, Vector]
  if (first.isOpposite) return second.isOpposite ? v128.not(v128.or(ofA, ofB)) : v128.andnot(ofB, ofA)
  return second.isOpposite ? v128.andnot(ofA, ofB) : v128.and(ofA, ofB)
}

/** Tells whether an operand is a number that calls are known to bring as 0. */
function isKnownZero({ program, facts }: Emission, operand: number): boolean {
  const from = program.instructions[operand]!
  return from.op === 'scalar' && facts.zeros.has(from.slot)
}

/** Turns around what selects by an opposite, and spares selecting a 0 that calls are known to bring. */
function selection(
  emission: Emission,
  { mask: given, a: ifTrue, b: ifFalse }: { readonly mask: number; readonly a: number; readonly b: number },
  group: number,
): Vector {
  const { analysis, value } = emission
  const plain = plainMask(emission, given)
  const [a, b] = plain.isOpposite ? [ifFalse, ifTrue] : [ifTrue, ifFalse]
  const mask = value(plain.mask, group)
  const isZero = (operand: number): boolean => isKnownZero(emission, operand)
  if (isZero(b)) return v128.and(value(a, group), mask)
  if (isZero(a)) return v128.andnot(value(b, group), mask)
  // The difference of what doesn't change is computed before the loop, which leaves two instructions of three.
  const isInvariant = [a, b].every((operand) => analysis.levels[operand] !== 'element')
  const [from, to] = [value(b, group), value(a, group)]
  return isInvariant ? v128.xor(from, v128.and(mask, v128.xor(to, from))) : v128.bitselect(to, from, mask)
}

/** Compares what is drawn as integers with a limit that is the same for all elements, which is made such before the loop. */
function less(emission: Emission, { a, b }: { readonly a: number; readonly b: number }, group: number): Vector {
  const { analysis, facts, program, value } = emission
  const [drawn, limit] = [program.instructions[a]!, program.instructions[b]!]
  if (drawn.op !== 'uniform' || analysis.levels[b] === 'element') return f32x4.lt(value(a, group), value(b, group))
  const compare = facts.fractions && limit.op === 'scalar' ? isLessThanFraction : isLess
  return compare(get(emission.drawnWord(a, group)), value(b, group))
}

/** Bounds values by one comparison where the bound is known to be neither 0 nor NaN; without that it takes eight instructions. */
function bounded(
  { facts, program, value }: Emission,
  { op, a, b }: OperationInstruction<'maximum' | 'minimum'>,
  group: number,
): Vector {
  const isBound = (operand: number): boolean => facts.ordered && program.instructions[operand]!.op === 'scalar'
  const [exact, byComparison] = op === 'maximum' ? [f32x4.max, f32x4.pmax] : [f32x4.min, f32x4.pmin]
  // The first one is what NaN is taken of.
  if (isBound(b)) return byComparison(value(a, group), value(b, group))
  if (isBound(a)) return byComparison(value(b, group), value(a, group))
  return exact(value(a, group), value(b, group))
}

/** Computes an instruction for one group of four elements, from the values of its operands. */
export function operate(
  emission: Emission,
  instruction: OperationInstruction<ElementOperation>,
  group: number,
  keep: Keep,
): Vector {
  if (instruction.op === 'and') return conjunction(emission, instruction, group)
  if (instruction.op === 'maximum' || instruction.op === 'minimum') return bounded(emission, instruction, group)
  if (instruction.op === 'lt') return less(emission, instruction, group)
  if (instruction.op === 'select') return selection(emission, instruction, group)
  return applyOperation(kernels, instruction, (operand) => emission.value(operand, group), keep)
}
