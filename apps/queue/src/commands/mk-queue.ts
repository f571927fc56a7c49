import { type ProgramDefinition, runProgram } from '@mk/cli'
import { cancelCommand } from './cancel-command.ts'
import { statusCommand } from './status-command.ts'
import { submitCommand } from './submit-command.ts'
import { workCommand } from './work-command.ts'

const program: ProgramDefinition = {
  name: 'mk-queue',
  summary: 'Spread merges over many machines, by BullMQ on a Redis.',
  commands: [submitCommand, workCommand, statusCommand, cancelCommand],
  examples: [
    ['mergekit-yaml recipe.yml --plan-out plan.json', 'the plan, once'],
    ...submitCommand.examples!,
    ...workCommand.examples!,
  ],
}

/** Runs `mk-queue`, which spreads merges over workers. @returns the exit status */
export const mkQueue = (args: readonly string[]): Promise<number> => runProgram(program, args)
