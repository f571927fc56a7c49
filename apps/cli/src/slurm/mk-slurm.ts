import { type ProgramDefinition, runProgram } from '../commands/run-command.ts'
import { submitCommand } from './submit-command.ts'

const program: ProgramDefinition = {
  name: 'mk-slurm',
  summary: 'Spread a merge over the nodes of a cluster that Slurm runs.',
  commands: [submitCommand],
  examples: submitCommand.examples!,
}

/** Runs `mk-slurm`, which submits merges to Slurm. @returns the exit status */
export const mkSlurm = (args: readonly string[]): Promise<number> => runProgram(program, args)
