import { type ProgramDefinition, runProgram } from '../commands/run-command.ts'
import { convertCommand } from './convert-command.ts'
import { infoCommand } from './info-command.ts'

const program: ProgramDefinition = {
  name: 'mk-gguf',
  summary: 'Convert models to GGUF, the format of llama.cpp, and look into its files.',
  commands: [convertCommand, infoCommand],
  examples: [...convertCommand.examples!, ...infoCommand.examples!],
}

/** Runs `mk-gguf`: `info` prints what a GGUF's header says, `convert` writes a model as one. @returns the exit status */
export const mkGguf = (args: readonly string[]): Promise<number> => runProgram(program, args)
