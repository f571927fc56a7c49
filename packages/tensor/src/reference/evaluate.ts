import { decode } from '../numbers/dtypes.ts'
import type { Instruction, Program } from '../program/program.ts'
import { uniformAt } from '../numbers/random.ts'
import type { KernelCall } from '../runtime/runtime.ts'
import { binary, comparison, rankRows, unary } from './operations.ts'

/** Some consecutive elements of a call: their position in it, and their flat index in the tensor. */
export interface Block {
  readonly call: KernelCall
  readonly start: number
  readonly count: number
  readonly offset: number
}

/** One per instruction: values, or masks as 0 and 1. */
export type Registers = readonly (Float32Array | Uint8Array)[]

/** Computes every instruction for the elements of a block. */
export function evaluate(program: Program, registers: Registers, block: Block): void {
  program.instructions.forEach((instruction, position) =>
    evaluateOne(program, instruction, registers, registers[position]!, block),
  )
}

function evaluateOne(
  program: Program,
  instruction: Instruction,
  registers: Registers,
  out: Float32Array | Uint8Array,
  block: Block,
): void {
  const { call, start, count, offset } = block
  const value = (position: number) => registers[position] as Float32Array
  const mask = (position: number) => registers[position] as Uint8Array
  switch (instruction.op) {
    case 'input':
      return decode(
        program.inputs[instruction.slot]!,
        call.inputs[instruction.slot]!,
        start,
        (out as Float32Array).subarray(0, count),
      )
    case 'scalar':
      out.fill(call.scalars[instruction.slot]!, 0, count)
      return
    case 'vector': {
      const values = call.vectors[instruction.slot]!
      const { columns } = call
      if (program.vectors[instruction.slot] === 'column')
        for (let i = 0; i < count; i++) out[i] = values[(offset + i) % columns]!
      else for (let i = 0; i < count; i++) out[i] = values[Math.floor((offset + i) / columns)]!
      return
    }
    case 'uniform': {
      const key = { high: call.scalars[instruction.high]!, low: call.scalars[instruction.low]! }
      for (let i = 0; i < count; i++) out[i] = uniformAt(key, offset + i)
      return
    }
    case 'rank':
      return rankRows(out as Float32Array, value(instruction.a), count, call.columns)
    case 'neg':
    case 'abs':
    case 'sqrt':
    case 'exp':
    case 'log':
      return unary[instruction.op](out as Float32Array, value(instruction.a), count)
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'minimum':
    case 'maximum':
      return binary[instruction.op](out as Float32Array, value(instruction.a), value(instruction.b), count)
    case 'lt':
    case 'le':
    case 'gt':
    case 'ge':
    case 'eq':
    case 'ne':
      return comparison[instruction.op](out as Uint8Array, value(instruction.a), value(instruction.b), count)
    case 'select': {
      const chosen = mask(instruction.mask)
      const a = value(instruction.a)
      const b = value(instruction.b)
      for (let i = 0; i < count; i++) out[i] = chosen[i] ? a[i]! : b[i]!
      return
    }
    case 'and':
      for (let i = 0; i < count; i++) out[i] = mask(instruction.a)[i]! & mask(instruction.b)[i]!
      return
    case 'or':
      for (let i = 0; i < count; i++) out[i] = mask(instruction.a)[i]! | mask(instruction.b)[i]!
      return
    case 'not':
      for (let i = 0; i < count; i++) out[i] = mask(instruction.a)[i]! ^ 1
      return
    case 'before': {
      const end = call.scalars[instruction.slot]!
      for (let i = 0; i < count; i++) out[i] = Number(offset + i < end)
      return
    }
    default:
      instruction satisfies never
  }
}
