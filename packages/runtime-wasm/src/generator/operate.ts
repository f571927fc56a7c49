import {
  applyOperation,
  type ElementOperation,
  kindOf,
  operandsOf,
  type OperationInstruction,
  type OperationTable,
} from '@mk/tensor/runtime'
import { f32x4, i32x4, v128, type Vector } from '@mk/wasm-encoder'
import { expLanes, logLanes } from './elementary.ts'
import type { Emission } from './emission.ts'
import type { Keep } from './minifloat.ts'

/** Keeps intermediate values; and whether the operands that aren't masks are the same for all elements. */
type Context = readonly [keep: Keep, isInvariant: boolean]

/** Four elements of each operation, from four of its operands. Masks have all bits or none set. */
const kernels: OperationTable<Vector, Context, ElementOperation> = {
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
  minimum: ({ a, b }) => f32x4.min(a, b),
  maximum: ({ a, b }) => f32x4.max(a, b),
  lt: ({ a, b }) => f32x4.lt(a, b),
  le: ({ a, b }) => f32x4.le(a, b),
  gt: ({ a, b }) => f32x4.gt(a, b),
  ge: ({ a, b }) => f32x4.ge(a, b),
  eq: ({ a, b }) => f32x4.eq(a, b),
  ne: ({ a, b }) => f32x4.ne(a, b),
  and: ({ a, b }) => v128.and(a, b),
  or: ({ a, b }) => v128.or(a, b),
  not: ({ a }) => v128.not(a),
  select: ({ mask, a, b }, _, isInvariant) =>
    // The difference of what doesn't change is computed before the loop, which leaves two instructions of three.
    isInvariant ? v128.xor(b, v128.and(mask, v128.xor(a, b))) : v128.bitselect(a, b, mask),
}

/** Computes an instruction for one group of four elements, from the values of its operands. */
export function operate(
  { analysis, value, program }: Emission,
  instruction: OperationInstruction<ElementOperation>,
  group: number,
  keep: Keep,
): Vector {
  const isInvariant = operandsOf(instruction).every(
    (operand) => kindOf(program.instructions[operand]!) === 'mask' || analysis.levels[operand] !== 'element',
  )
  return applyOperation(kernels, instruction, (operand) => value(operand, group), keep, isInvariant)
}
