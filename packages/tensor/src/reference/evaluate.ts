import { operations } from '../language/operations.ts'
import { decode } from '../numbers/dtypes.ts'
import { uniformAt } from '../numbers/random.ts'
import { isSource, type OperationInstruction, type SourceInstruction } from '../program/instructions.ts'
import type { Program } from '../program/program.ts'
import type { KernelCall } from '../runtime/runtime.ts'

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
  program.instructions.forEach((instruction, position) => {
    const out = registers[position]!
    if (isSource(instruction)) fillFromCall(program, instruction, out, block)
    else operate(instruction, registers, out, block)
  })
}

type Reference = (
  out: Float32Array | Uint8Array,
  operands: Readonly<Record<string, Float32Array | Uint8Array>>,
  extent: { readonly count: number; readonly columns: number },
) => void

function operate(
  instruction: OperationInstruction,
  registers: Registers,
  out: Float32Array | Uint8Array,
  { call: { columns }, count }: Block,
): void {
  const { operands, reference } = operations[instruction.op]
  const positions = instruction as unknown as Readonly<Record<string, number>>
  const arrays = Object.fromEntries(Object.keys(operands).map((name) => [name, registers[positions[name]!]!]))
  ;(reference as Reference)(out, arrays, { count, columns })
}

function fillFromCall(
  program: Program,
  instruction: SourceInstruction,
  out: Float32Array | Uint8Array,
  { call, start, count, offset }: Block,
): void {
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
    case 'before': {
      const end = call.scalars[instruction.slot]!
      for (let i = 0; i < count; i++) out[i] = Number(offset + i < end)
      return
    }
    default:
      instruction satisfies never
  }
}
