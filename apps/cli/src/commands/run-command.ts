import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { exitStatus } from '../errors/exit-status.ts'
import { describeScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'
import { tolerateClosedPipes } from './closed-pipe.ts'
import { configureHelp, type Example } from './help.ts'

/** A command: what its parsing, help and completion go by, and what it does. `Flags`: its options. */
export interface CommandDefinition<Flags extends CommonFlags> {
  /** As it is called; that of a program's command has the program's before it: `mk-gguf info`. */
  readonly name: string
  readonly summary: string
  readonly operands: readonly Operand<Flags>[]
  declareOptions(command: Command): unknown
  /** Calls that the help shows. */
  readonly examples?: readonly Example[]
  /** What its exit statuses mean, where the help is to say more than that it failed. */
  readonly statuses?: readonly Example[]
  /** What options may have as values, by their long names, where it is no choice and no path. */
  completions?(): Promise<OptionValues>
  /** Does it. @returns the exit status; what is thrown is told, and ends with the status of its fault */
  act(call: CommandCall<Flags>): Promise<number>
}

/** A command of commands, whose first argument says which. */
export interface ProgramDefinition {
  readonly name: string
  readonly summary: string
  // Each has flags of its own, which only its act sees.
  readonly commands: readonly CommandDefinition<never>[]
  readonly examples?: readonly Example[]
}

/** What every command may be asked for, if it declares it. */
export interface CommonFlags {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: number
}

/** Values of options by their long names. */
export type OptionValues = Readonly<Record<string, readonly string[]>>

/** An argument of a command that is no option. */
export interface Operand<Flags> {
  readonly name: string
  readonly summary: string
  /** Whether the command needs it, given these flags. */
  isNeeded(flags: Flags): boolean
}

/** One call of a command. */
export interface CommandCall<Flags> {
  readonly flags: Flags
  /** In the order of the declaration; undefined where none was given. */
  readonly operands: readonly (string | undefined)[]
  /** Tells whether the flag stood in the arguments, as opposed to having its default. */
  isGiven(flag: keyof Flags & string): boolean
  readonly command: Command
}

/**
 * Parses the arguments and acts; prints help, version or a script for completion where that is asked for.
 * @returns the exit status, as docs/decisions/exit-statuses.md has them; none of the errors is thrown
 */
export async function runCommand<Flags extends CommonFlags>(
  definition: CommandDefinition<Flags>,
  args: readonly string[],
): Promise<number> {
  tolerateClosedPipes()
  const command = declareCommand(definition)
  const flagsOf = () => command.opts() as unknown as Flags
  try {
    command.parse(args, { from: 'user' })
    const missing = definition.operands.find(
      ({ isNeeded }, index) => command.args[index] === undefined && isNeeded(flagsOf()),
    )
    if (missing !== undefined) command.error(`error: missing argument '${missing.name}'`)
  } catch (error) {
    return await endParsing(error, { command, definitions: [definition], args })
  }
  const flags = flagsOf()
  const isGiven = (flag: string) => command.getOptionValueSource(flag) === 'cli'
  try {
    return await definition.act({ flags, operands: command.args, isGiven, command })
  } catch (error) {
    return await report(error, flags)
  }
}

/** Runs the command of a program that the first argument names. @returns the exit status, as of `runCommand` */
export async function runProgram(program: ProgramDefinition, args: readonly string[]): Promise<number> {
  const { name, commands } = program
  const [first, ...rest] = args
  const chosen = commands.find((definition) => definition.name === `${name} ${first}`)
  if (chosen !== undefined) return runCommand(chosen as unknown as CommandDefinition<CommonFlags>, rest)
  tolerateClosedPipes()
  const command = declareProgram(program)
  try {
    // Refuses whatever is no command, and prints the help where there is none.
    command.parse(args, { from: 'user' })
    return exitStatus.usage
  } catch (error) {
    return await endParsing(error, { command, definitions: commands, args })
  }
}

interface Parsing {
  readonly command: Command
  readonly definitions: readonly Pick<CommandDefinition<never>, 'completions'>[]
  readonly args: readonly string[]
}

const completionAsked = 'mk.completion'

/** Ends a command whose arguments ask for its help or a script, or can't be parsed; with `--json` stdout tells that, too. */
async function endParsing(error: unknown, { command, definitions, args }: Parsing): Promise<number> {
  const json = args.includes('--json')
  if (!(error instanceof CommanderError)) return report(error, { json })
  const { code, exitCode, message } = error
  if (code === completionAsked) return printCompletion({ command, definitions, args }, message)
  if (exitCode === 0) return exitStatus.success
  if (json) {
    const { formatJsonUsage } = await import('../errors/json-error.ts')
    process.stdout.write(formatJsonUsage(message.replace(/^error: /, ''), exitStatus.usage))
  }
  return exitStatus.usage
}

async function printCompletion({ command, definitions, args }: Parsing, shell: string): Promise<number> {
  try {
    const { completionScript } = await import('./completion.ts')
    const values = await Promise.all(definitions.map(({ completions }) => completions?.()))
    process.stdout.write(completionScript(command, shell, Object.assign({}, ...values)))
    return exitStatus.success
  } catch (error) {
    return await report(error, { json: args.includes('--json') })
  }
}

async function report(error: unknown, { json = false, verbose = 0 }: CommonFlags): Promise<number> {
  const [{ statusOf }, { reportError }] = await Promise.all([
    import('../errors/describe-error.ts'),
    import('../errors/report-error.ts'),
  ])
  const status = statusOf(error)
  reportError(error, { flags: { json, verbose }, status })
  return status
}

function declareCommand<Flags extends CommonFlags>(definition: CommandDefinition<Flags>): Command {
  const { name, summary, operands, examples = [], statuses } = definition
  const command = declare(name, summary)
  for (const operand of operands) command.argument(`[${operand.name}]`, operand.summary)
  if (!name.includes(' ')) addCompletion(command)
  configureHelp(command, { examples, ...(statuses !== undefined && { statuses }) })
  definition.declareOptions(command)
  return showUsage(command)
}

function declareProgram({ name, summary, commands, examples = [] }: ProgramDefinition): Command {
  const program = addCompletion(declare(name, summary).helpCommand(false))
  for (const definition of commands) {
    const child = declareCommand(definition as unknown as CommandDefinition<CommonFlags>)
    program.addCommand(child.name(definition.name.slice(name.length + 1)))
  }
  return showUsage(configureHelp(program, { examples }))
}

function declare(name: string, summary: string): Command {
  const { style, width } = describeScreen(process.stderr)
  return new Command(name)
    .description(summary)
    .version(packageVersion(), '-V, --version', 'print the version')
    .exitOverride()
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help')
    .configureOutput({
      outputError: (text, write) => write(wrapText(text, width, '  ').replace(/^error:/, () => style.red('error:'))),
    })
}

/** Whatever else stands there, a script is then all that is asked for. */
const addCompletion = (command: Command): Command =>
  command
    .addOption(new Option('--completion <shell>', 'print a script that completes arguments in bash, zsh or fish'))
    .on('option:completion', (shell: string) => {
      throw new CommanderError(0, completionAsked, shell)
    })

/** The whole help would push an error off the screen. */
function showUsage(command: Command): Command {
  const usage = `usage: ${command.name()} ${command.usage()}\n(${command.name()} --help lists the options)`
  return command.showHelpAfterError(wrapText(usage, describeScreen(process.stderr).width, '  '))
}

/** The version of this package. */
function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
