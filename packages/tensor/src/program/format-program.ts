import type { Instruction, Program, ProgramOutput } from './program.ts'

/** A readable listing: one line for each input, instruction and output, complete. */
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

/** Equal for two programs exactly if they are the same program: for caches of compiled kernels. */
export const programKey = (program: Program): string => formatProgram(program)

function formatInstruction(instruction: Instruction): string {
  switch (instruction.op) {
    case 'input':
    case 'scalar':
    case 'vector':
    case 'before':
      return `${instruction.op} ${instruction.slot}`
    case 'uniform':
      return `uniform ${instruction.high} ${instruction.low}`
    case 'select':
      return `select %${instruction.mask} %${instruction.a} %${instruction.b}`
    default:
      return 'b' in instruction
        ? `${instruction.op} %${instruction.a} %${instruction.b}`
        : `${instruction.op} %${instruction.a}`
  }
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
