import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { exitStatus } from '../errors/exit-status.ts'
import { describeScreen } from '../print/style.ts'
import { tolerateClosedPipes } from './closed-pipe.ts'
import { endParsing } from './end-parsing.ts'
import { configureHelp, type Example } from './help.ts'
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
  /** Calls that the help shows. */
  readonly examples?: readonly Example[]
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
  tolerateClosedPipes()
  const command = declareCommand(definition)
  try {
    command.parse(args, { from: 'user' })
    const { completion } = command.opts() as unknown as Flags
    if (completion !== undefined) return await printCompletion(command, completion)
    const missing = definition.operands.find(
      ({ isNeeded }, index) => command.args[index] === undefined && isNeeded(command.opts() as unknown as Flags),
    )
    if (missing !== undefined) command.error(`error: missing argument '${missing.name}'`)
  } catch (error) {
    if (!(error instanceof CommanderError)) return await report(error, command.opts() as unknown as Flags)
    return await endParsing(error, args)
  }
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
    return await report(error, flags)
  } finally {
    call.ownCode.release()
  }
}

async function report(error: unknown, flags: MergeFlags): Promise<number> {
  const [{ statusOf }, { reportError }] = await Promise.all([
    import('../errors/describe-error.ts'),
    import('../errors/report-error.ts'),
  ])
  const status = statusOf(error)
  reportError(error, { flags, status })
  return status
}

async function printCompletion(command: Command, shell: string): Promise<number> {
  const { completionScript } = await import('./completion.ts')
  process.stdout.write(await completionScript(command, shell))
  return exitStatus.success
}

function declareCommand<Flags extends MergeFlags>(definition: MergeCommand<Flags>): Command {
  const { name, summary, operands, examples = [] } = definition
  const command = new Command(name)
    .description(summary)
    .version(packageVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help')
  for (const operand of operands) command.argument(`[${operand.name}]`, operand.summary)
  const { style } = describeScreen(process.stderr)
  command.configureOutput({
    outputError: (text, write) => write(text.replace(/^error:/, () => style.red('error:'))),
  })
  configureHelp(command, examples)
  definition.declareOptions(command)
  addMergeFlags(command)
  // The whole help would push the error off the screen.
  return command.showHelpAfterError(`usage: ${name} ${command.usage()}\n(${name} --help lists the options)`)
}

/** The version of this package. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
