import {
  applyOperation,
  type ElementOperation,
  EXP,
  isRowOperation,
  isSource,
  kindOf,
  LOG,
  type OperationTable,
  type Program,
} from '@mk/tensor/runtime'
import type { KernelPlan } from '../plan-kernel.ts'
import { bitsOf } from './bits-of.ts'
import { codeOf, type StepKind } from './shader.ts'

/** The steps of a program for the shader, four words each, and how many registers they take. */
export interface EncodedProgram {
  readonly code: Uint32Array<ArrayBuffer>
  readonly registers: number
}

/** A step whose operands are values by their numbers, but for those that `StepKind` says are something else. */
interface Step {
  readonly kind: StepKind | 'store' | 'storeMask'
  readonly values: readonly number[]
  readonly literal?: number
}

/** Adds a step; its value has the number that is returned. */
type Push = (kind: Step['kind'], values: readonly number[], literal?: number) => number

const operations: OperationTable<number, [push: Push], ElementOperation> = {
  neg: ({ a }, push) => push('negate', [a]),
  abs: ({ a }, push) => push('magnitude', [a]),
  sqrt: ({ a }, push) => push('squareRoot', [a]),
  exp: ({ a }, push) => exponential(a, push),
  log: ({ a }, push) => logarithm(a, push),
  add: ({ a, b }, push) => push('add', [a, b]),
  sub: ({ a, b }, push) => push('subtract', [a, b]),
  mul: ({ a, b }, push) => push('multiply', [a, b]),
  div: ({ a, b }, push) => push('divide', [a, b]),
  minimum: ({ a, b }, push) => push('minimum', [a, b]),
  maximum: ({ a, b }, push) => push('maximum', [a, b]),
  lt: ({ a, b }, push) => push('isLess', [a, b]),
  le: ({ a, b }, push) => push('isLessOrEqual', [a, b]),
  gt: ({ a, b }, push) => push('isLess', [b, a]),
  ge: ({ a, b }, push) => push('isLessOrEqual', [b, a]),
  eq: ({ a, b }, push) => push('isEqual', [a, b]),
  ne: ({ a, b }, push) => push('not', [push('isEqual', [a, b])]),
  and: ({ a, b }, push) => push('and', [a, b]),
  or: ({ a, b }, push) => push('or', [a, b]),
  not: ({ a }, push) => push('not', [a]),
  select: ({ mask, a, b }, push) => push('select', [a, b, mask]),
}

const constant = (push: Push, value: number): number => push('constant', [], bitsOf(value))

/** Evaluates a polynomial, from the highest power. */
const horner = (push: Push, [first, ...rest]: readonly number[], x: number): number =>
  rest.reduce(
    (y, coefficient) => push('add', [push('multiply', [y, x]), constant(push, coefficient)]),
    constant(push, first!),
  )

/** exp by the operations of `expFloat32` in @mk/tensor/runtime, in the same order. */
function exponential(a: number, push: Push): number {
  const times = (x: number, y: number) => push('multiply', [x, y])
  const bounded = push('minimum', [push('maximum', [a, constant(push, EXP.smallest)]), constant(push, EXP.largest)])
  const n = push('floor', [push('add', [times(bounded, constant(push, EXP.log2e)), constant(push, 0.5)])])
  const high = push('subtract', [bounded, times(n, constant(push, EXP.ln2High))])
  const x = push('subtract', [high, times(n, constant(push, EXP.ln2Low))])
  const y = push('add', [times(horner(push, EXP.polynomial, x), times(x, x)), x])
  return times(times(push('add', [y, constant(push, 1)]), push('lowerHalf', [n])), push('upperHalf', [n]))
}

/** The natural logarithm by the operations of `logFloat32` in @mk/tensor/runtime, in the same order. */
function logarithm(a: number, push: Push): number {
  const times = (x: number, y: number) => push('multiply', [x, y])
  const exponent = push('exponent', [a])
  const x = push('subtract', [push('mantissa', [a]), constant(push, 1)])
  const square = times(x, x)
  let y = times(times(horner(push, LOG.polynomial, x), x), square)
  y = push('add', [y, times(exponent, constant(push, LOG.ln2Low))])
  y = push('subtract', [y, times(constant(push, 0.5), square)])
  return push('logarithm', [a, push('add', [push('add', [x, y]), times(exponent, constant(push, LOG.ln2High))])])
}

/** Encodes the steps that a plan has the device compute. The plan's numbers follow two of the shader's own. */
export function encodeProgram(
  { instructions }: Program,
  { rows, numbers, computed, reached }: Pick<KernelPlan, 'rows' | 'numbers' | 'computed' | 'reached'>,
): EncodedProgram {
  const steps: Step[] = []
  const push: Push = (kind, values, literal) =>
    steps.push({ kind, values, ...(literal !== undefined && { literal }) }) - 1
  const valueOf = new Map<number, number>()
  for (const position of reached) {
    const instruction = instructions[position]!
    if (isRowOperation(instruction)) throw new TypeError(`${instruction.op} has no steps`)
    if (!isSource(instruction))
      valueOf.set(
        position,
        applyOperation(operations, instruction, (operand) => valueOf.get(operand)!, push),
      )
    else if (instruction.op === 'scalar' || instruction.op === 'before')
      valueOf.set(position, push(instruction.op === 'scalar' ? 'number' : 'before', [], 2 + numbers.indexOf(position)))
    else valueOf.set(position, push('load', [], rows.indexOf(position)))
  }
  computed.forEach((position, row) => {
    const kind = kindOf(instructions[position]!) === 'mask' ? 'storeMask' : 'store'
    push(kind, [valueOf.get(position)!], row)
  })
  return assignRegisters(steps)
}

/** Gives each value the lowest register that is free from its step to the last that reads it. */
function assignRegisters(steps: readonly Step[]): EncodedProgram {
  const lastUse = steps.map((_, index) => index)
  steps.forEach(({ values }, index) => {
    for (const value of values) lastUse[value] = index
  })
  const code = new Uint32Array(4 * steps.length)
  const registerOf: number[] = []
  const freeFrom: number[] = []
  steps.forEach(({ kind, values, literal }, index) => {
    // Operands are read before the result is written, so that it may take the register of one that ends here.
    const free = freeFrom.findIndex((end) => end <= index)
    const register = free < 0 ? freeFrom.length : free
    freeFrom[register] = lastUse[index]!
    registerOf[index] = register
    const operands = values.map((value) => registerOf[value]!)
    code.set([codeOf(kind) + register * 2 ** 16, ...operands, ...(literal === undefined ? [] : [literal])], 4 * index)
  })
  return { code, registers: freeFrom.length }
}
