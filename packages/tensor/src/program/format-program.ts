import { type Instruction, isSource, operandsOf, sources } from './instructions.ts'
import type { Program, ProgramOutput } from './program.ts'

/** Writes a readable listing: one line for each input, instruction and output, complete. */
export function formatProgram(program: Program): string {
  const { inputs, scalarCount, vectors, instructions, outputs } = program
  return [
    `inputs ${inputs.map((dtype, slot) => `${slot}:${dtype}`).join(' ')}`,
    `scalars ${scalarCount}`,
    `vectors ${vectors.map((per, slot) => `${slot}:${per}`).join(' ')}`,
    ...instructions.map((instruction, position) => `%${position} = ${formatInstruction(instruction)}`),
    ...outputs.map(formatOutput),
  ]
    .map((line) => line.trimEnd())
    .join('\n')
}

/** Makes a text that is equal for two programs exactly if they are the same program: for caches of compiled kernels. */
export const programKey = (program: Program): string => formatProgram(program)

/** Slots as they are, operands with %. */
function formatInstruction(instruction: Instruction): string {
  const fields = instruction as unknown as Readonly<Record<string, number>>
  const slots = isSource(instruction) ? Object.keys(sources[instruction.op].slots).map((name) => `${fields[name]}`) : []
  return [instruction.op, ...slots, ...operandsOf(instruction).map((position) => `%${position}`)].join(' ')
}

function formatOutput(output: ProgramOutput): string {
  switch (output.kind) {
    case 'store':
      return `store %${output.value} as ${output.dtype}`
    case 'reduce':
      return `${output.reduce} %${output.value} per ${output.per}`
    case 'histogram':
      return `histogram %${output.value} in ${output.bins} bins from ${output.lo} shift ${output.shift}`
    case 'collect':
      return `collect %${output.value} ${output.windows.map(({ lo, hi }) => `from ${lo} to ${hi}`).join(' ')}`
    case 'locate':
      return `locate %${output.mask} number ${output.nth}`
    default:
      return output satisfies never
  }
}
