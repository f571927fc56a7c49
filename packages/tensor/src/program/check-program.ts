import { TensorError } from '../errors.ts'
import { isOperation, type Kind, operations } from '../language/operations.ts'
import { isSource, kindOf, sources } from './instructions.ts'
import type { Program } from './program.ts'
import { hasRows } from './requirements.ts'

/**
 * Sees to it that a program is well formed: slots exist, operands are earlier instructions of the right kind.
 * @throws TensorError 'malformed-program'
 */
export function checkProgram(program: Program): void {
  const kinds: Kind[] = []
  let where = ''
  const fail = (problem: string): never => {
    throw new TensorError({ code: 'malformed-program', where, problem })
  }
  const slot = (index: number, count: number, of: string) => {
    if (!(Number.isInteger(index) && index >= 0 && index < count))
      fail(`${of} ${index} does not exist, there are ${count}`)
  }
  const operand = (position: number, kind: Kind) => {
    slot(position, kinds.length, 'earlier instruction')
    if (kinds[position] !== kind) fail(`%${position} is a ${kinds[position]}, expected a ${kind}`)
  }
  const counts = { input: program.inputs.length, scalar: program.scalarCount, vector: program.vectors.length }
  program.instructions.forEach((instruction, position) => {
    const { op } = instruction
    where = `instruction ${position} (${op})`
    const fields = instruction as unknown as Readonly<Record<string, number>>
    if (isOperation(op))
      for (const [name, kind] of Object.entries(operations[op].operands)) operand(fields[name]!, kind)
    else if (isSource(instruction))
      for (const [name, of] of Object.entries(sources[instruction.op].slots)) slot(fields[name]!, counts[of], of)
    else fail('unknown operation')
    kinds.push(kindOf(instruction))
  })
  program.outputs.forEach((output, index) => {
    where = `output ${index} (${output.kind})`
    switch (output.kind) {
      case 'store':
        operand(output.value, 'value')
        break
      case 'reduce':
        slot(output.value, kinds.length, 'instruction')
        if (output.reduce === 'quickSum' && hasRows(program)) fail('beside something that is per row or column')
        break
      case 'histogram':
        operand(output.value, 'value')
        slot(output.lo, program.scalarCount, 'scalar')
        slot(output.shift, program.scalarCount, 'scalar')
        if (!(Number.isInteger(output.bins) && output.bins > 0)) fail(`${output.bins} bins`)
        break
      case 'collect':
        operand(output.value, 'value')
        if (output.windows.length === 0) fail('no windows')
        for (const { lo, hi } of output.windows)
          for (const bound of [lo, hi]) slot(bound, program.scalarCount, 'scalar')
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
}
