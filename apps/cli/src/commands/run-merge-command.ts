import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { exitStatus } from '../errors/exit-status.ts'
import { ignoredFlagNotes } from './ignored-flags.ts'
import { addMergeFlags, type MergeFlags } from './merge-flags.ts'
import { createOwnCode, type OwnCode } from './own-code.ts'
import type { Recipe } from './recipe.ts'

/** A command that makes a recipe of its arguments and merges by it. `Flags`: the options of every merge and its own. */
export interface MergeCommand<Flags extends MergeFlags> {
  readonly name: string
  readonly summary: string
  readonly operands: readonly Operand<Flags>[]
  /** Adds the options that only this command has; those of every merge come after them. */
  declareOptions(command: Command): unknown
  /** Tells what to merge, or does something else and tells the exit status. */
  act(call: MergeCall<Flags>): Promise<Recipe | number>
}

export interface Operand<Flags> {
  readonly name: string
  readonly summary: string
  /** Whether the command needs it, given these flags. */
  isNeeded(flags: Flags): boolean
}

/** One call of a command. */
export interface MergeCall<Flags = MergeFlags> {
  readonly flags: Flags
  /** In the order of the declaration; undefined where none was given. */
  readonly operands: readonly (string | undefined)[]
  /** Tells whether the flag stood in the arguments, as opposed to having its default. */
  isGiven(flag: keyof Flags & string): boolean
  /** Watches over modules of the user's that the call loads. */
  readonly ownCode: OwnCode
}

/**
 * Parses the arguments, acts, and merges by the recipe that comes of it. Results go to stdout, all else to stderr.
 * @returns the exit status, as docs/decisions/exit-statuses.md has them; none of the errors is thrown
 */
export async function runMergeCommand<Flags extends MergeFlags>(
  definition: MergeCommand<Flags>,
  args: readonly string[],
): Promise<number> {
  const command = declareCommand(definition)
  try {
    command.parse(args, { from: 'user' })
    const missing = definition.operands.find(
      ({ isNeeded }, index) => command.args[index] === undefined && isNeeded(command.opts() as unknown as Flags),
    )
    if (missing !== undefined) command.error(`error: missing argument '${missing.name}'`)
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? exitStatus.success : exitStatus.usage
  }
  // A merge goes on when nobody reads its output any more, as in `… | head`.
  for (const stream of [process.stdout, process.stderr])
    if (!stream.listeners('error').includes(ignoreClosedPipe)) stream.on('error', ignoreClosedPipe)
  const flags = command.opts() as unknown as Flags
  const call = {
    flags,
    operands: command.args,
    isGiven: (flag: string) => command.getOptionValueSource(flag) === 'cli',
    ownCode: createOwnCode(),
  }
  try {
    const recipe = await definition.act(call)
    if (typeof recipe === 'number') return recipe
    const { executeMerge } = await import('./execute-merge.ts')
    return await executeMerge(recipe, call, ignoredFlagNotes(command))
  } catch (error) {
    const { describeError, statusOf } = await import('../errors/describe-error.ts')
    process.stderr.write(`${describeError(error, { verbose: flags.verbose > 0 })}\n`)
    return statusOf(error)
  } finally {
    call.ownCode.release()
  }
}

function declareCommand<Flags extends MergeFlags>(definition: MergeCommand<Flags>): Command {
  const { name, summary, operands } = definition
  const command = new Command(name)
    .description(summary)
    .version(packageVersion(), '--version')
    .exitOverride()
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help')
  for (const operand of operands) command.argument(`[${operand.name}]`, operand.summary)
  definition.declareOptions(command)
  addMergeFlags(command)
  // The whole help would push the error off the screen.
  return command.showHelpAfterError(`usage: ${name} ${command.usage()}\n(${name} --help lists the options)`)
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** The version of this package. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
