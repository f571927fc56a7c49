import type { Command } from 'commander'
import { mergeStatuses, type Example } from './help.ts'
import { ignoredFlagNotes } from './ignored-flags.ts'
import { addMergeFlags, mergeFlagValues, type MergeFlags } from './merge-flags.ts'
import { createOwnCode, type OwnCode } from './own-code.ts'
import type { Recipe } from './recipe.ts'
import { threadFor } from './thread-ahead.ts'
import { type CommandCall, type Operand, runCommand } from './run-command.ts'

/** A command that makes a recipe of its arguments and merges by it. `Flags`: the options of every merge and its own. */
export interface MergeCommand<Flags extends MergeFlags> {
  readonly name: string
  readonly summary: string
  readonly operands: readonly Operand<Flags>[]
  /** Adds the options that only this command has; those of every merge come after them. */
  declareOptions(command: Command): unknown
  /** Calls that the help shows. */
  readonly examples?: readonly Example[]
  /** Tells what to merge, or does something else and tells the exit status. */
  act(call: MergeCall<Flags>): Promise<Recipe | number>
}

/** One call of a command that merges. */
export interface MergeCall<Flags = MergeFlags> extends Omit<CommandCall<Flags>, 'command'> {
  /** Watches over modules of the user's that the call loads. */
  readonly ownCode: OwnCode
}

/**
 * Parses the arguments, acts, and merges by the recipe that comes of it. Results go to stdout, all else to stderr.
 * @returns the exit status, as docs/decisions/exit-statuses.md has them; none of the errors is thrown
 */
export const runMergeCommand = <Flags extends MergeFlags>(
  definition: MergeCommand<Flags>,
  args: readonly string[],
): Promise<number> =>
  runCommand<Flags>(
    {
      ...definition,
      statuses: mergeStatuses,
      declareOptions(command) {
        definition.declareOptions(command)
        addMergeFlags(command)
      },
      completions: mergeFlagValues,
      async act({ command, ...given }) {
        const call = { ...given, ownCode: createOwnCode() }
        try {
          const recipe = await definition.act(call)
          if (typeof recipe === 'number') return recipe
          const ahead = threadFor(given.flags, recipe)
          const { executeMerge } = await import('./execute-merge.ts')
          return await executeMerge(recipe, { ...call, ahead }, ignoredFlagNotes(command))
        } finally {
          call.ownCode.release()
        }
      },
    },
    args,
  )
