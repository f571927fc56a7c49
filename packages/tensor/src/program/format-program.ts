import { operations } from '../language/operations.ts'
import { type Instruction, isSource, sources } from './instructions.ts'
import type { Program, ProgramOutput } from './program.ts'

/** Writes a readable listing: one line for each input, instruction and output, complete. */
export function formatProgram(program: Program): string {
  const { inputs, scalarCount, vectors, instructions, outputs } = program
  let text = 'inputs'
  for (let slot = 0; slot < inputs.length; slot++) text += ` ${slot}:${inputs[slot]}`
  text += `\nscalars ${scalarCount}\nvectors`
  for (let slot = 0; slot < vectors.length; slot++) text += ` ${slot}:${vectors[slot]}`
  for (let position = 0; position < instructions.length; position++)
    text += `\n%${position} = ${formatInstruction(instructions[position]!)}`
  for (const output of outputs) text += `\n${formatOutput(output)}`
  return text
}

/** Makes a text that is equal for two programs exactly if they are the same program: for caches of compiled kernels. */
export const programKey = (program: Program): string => formatProgram(program)

/** Slots as they are, operands with %. */
function formatInstruction(instruction: Instruction): string {
  const fields = instruction as unknown as Readonly<Record<string, number>>
  let text: string = instruction.op
  if (isSource(instruction)) for (const name in sources[instruction.op].slots) text += ` ${fields[name]}`
  else for (const name in operations[instruction.op].operands) text += ` %${fields[name]}`
  return text
}

function formatOutput(output: ProgramOutput): string {
  switch (output.kind) {
    case 'store':
      return `store %${output.value} as ${output.dtype}`
    case 'reduce':
      return `${output.reduce} %${output.value} per ${output.per}`
    case 'histogram':
      return `histogram %${output.value} in ${output.bins} bins from ${output.lo} shift ${output.shift}`
    case 'locate':
      return `locate %${output.mask} number ${output.nth}`
    default:
      return output satisfies never
  }
}
