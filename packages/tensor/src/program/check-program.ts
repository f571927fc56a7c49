import { TensorError } from '../errors.ts'
import type { Program } from './program.ts'

type Kind = 'value' | 'mask'

/**
 * What makes a program well formed: slots exist, operands are earlier instructions of the right kind. @returns the kind of
 * each instruction's result.
 * @throws TensorError 'program'
 */
export function checkProgram(program: Program): Kind[] {
  const kinds: Kind[] = []
  let where = ''
  const fail = (problem: string): never => {
    throw new TensorError({ code: 'program', where, problem })
  }
  const slot = (index: number, count: number, of: string) => {
    if (!(Number.isInteger(index) && index >= 0 && index < count))
      fail(`${of} ${index} does not exist, there are ${count}`)
  }
  const operand = (position: number, kind: Kind) => {
    slot(position, kinds.length, 'earlier instruction')
    if (kinds[position] !== kind) fail(`%${position} is a ${kinds[position]}, expected a ${kind}`)
  }
  program.instructions.forEach((instruction, position) => {
    where = `instruction ${position} (${instruction.op})`
    let kind: Kind = 'value'
    switch (instruction.op) {
      case 'input':
        slot(instruction.slot, program.inputs.length, 'input')
        break
      case 'scalar':
        slot(instruction.slot, program.scalarCount, 'scalar')
        break
      case 'vector':
        slot(instruction.slot, program.vectors.length, 'vector')
        break
      case 'uniform':
        slot(instruction.high, program.scalarCount, 'scalar')
        slot(instruction.low, program.scalarCount, 'scalar')
        break
      case 'before':
        slot(instruction.slot, program.scalarCount, 'scalar')
        kind = 'mask'
        break
      case 'neg':
      case 'abs':
      case 'sqrt':
      case 'exp':
      case 'log':
      case 'rank':
        operand(instruction.a, 'value')
        break
      case 'add':
      case 'sub':
      case 'mul':
      case 'div':
      case 'minimum':
      case 'maximum':
        operand(instruction.a, 'value')
        operand(instruction.b, 'value')
        break
      case 'lt':
      case 'le':
      case 'gt':
      case 'ge':
      case 'eq':
      case 'ne':
        operand(instruction.a, 'value')
        operand(instruction.b, 'value')
        kind = 'mask'
        break
      case 'and':
      case 'or':
        operand(instruction.a, 'mask')
        operand(instruction.b, 'mask')
        kind = 'mask'
        break
      case 'not':
        operand(instruction.a, 'mask')
        kind = 'mask'
        break
      case 'select':
        operand(instruction.mask, 'mask')
        operand(instruction.a, 'value')
        operand(instruction.b, 'value')
        break
      default:
        instruction satisfies never
        fail('unknown operation')
    }
    kinds.push(kind)
  })
  program.outputs.forEach((output, index) => {
    where = `output ${index} (${output.kind})`
    switch (output.kind) {
      case 'store':
        operand(output.value, 'value')
        break
      case 'reduce':
        slot(output.value, kinds.length, 'instruction')
        break
      case 'histogram':
        operand(output.value, 'value')
        slot(output.lo, program.scalarCount, 'scalar')
        slot(output.shift, program.scalarCount, 'scalar')
        if (!(Number.isInteger(output.bins) && output.bins > 0)) fail(`${output.bins} bins`)
        break
      case 'locate':
        operand(output.mask, 'mask')
        slot(output.nth, program.scalarCount, 'scalar')
        break
      default:
        output satisfies never
        fail('unknown kind')
    }
  })
  return kinds
}
