import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { describeError, exitStatus, statusOf } from './describe-error.ts'
import { addMergeFlags, type MergeFlags, needlessFlagNotes } from './merge-flags.ts'

interface YamlFlags extends MergeFlags {
  readonly listMethods?: boolean
  readonly runtimes?: boolean
}

/** `mergekit-yaml`: merges models by a YAML recipe. @returns the exit status. */
export async function mergekitYaml(args: readonly string[]): Promise<number> {
  const command = createCommand('mergekit-yaml')
    .description('Merge pre-trained language models by a YAML recipe.')
    .argument('[config]', 'the recipe')
    .argument('[out]', 'the folder to write')
  addMergeFlags(command)
    .option('--list-methods', 'print the merge methods with their parameters')
    .option('--runtimes', 'print the devices, and why one is not available here')
  return runCommand(command, args, async (flags: YamlFlags, [config, out]) => {
    if (flags.listMethods) {
      const { listMethods } = await import('./list-methods.ts')
      process.stdout.write(await listMethods({ json: flags.json ?? false, modules: flags.methodModule ?? [] }))
      return exitStatus.success
    }
    if (flags.runtimes) {
      const { formatRuntimes, listRuntimes } = await import('./runtimes.ts')
      const statuses = await listRuntimes()
      process.stdout.write(flags.json ? `${JSON.stringify(statuses, undefined, 2)}\n` : formatRuntimes(statuses))
      return exitStatus.success
    }
    const planOnly = flags.dryRun || flags.explainTokens
    if (config === undefined || (out === undefined && !planOnly))
      return usage(command, `missing argument '${config === undefined ? 'config' : 'out'}'`)
    let text: string
    try {
      text = readFileSync(config, 'utf8')
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      process.stderr.write(
        `error: can't read the recipe ${config}: ${missing ? 'there is no such file' : (error as Error).message}\n`,
      )
      return exitStatus.usage
    }
    const { executeMerge } = await import('./execute-merge.ts')
    return executeMerge({ text, file: config, out: out ?? '', flags, notes: needlessFlagNotes(command) })
  })
}

export function createCommand(name: string): Command {
  return new Command(name)
    .version(version(), '--version')
    .exitOverride()
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help')
}

/** Parses the arguments and runs the action; errors go to stderr. @returns the exit status, 2 for arguments that are wrong. */
export async function runCommand<F extends MergeFlags>(
  command: Command,
  args: readonly string[],
  action: (flags: F, operands: readonly (string | undefined)[]) => Promise<number>,
): Promise<number> {
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.success : exitStatus.usage
    throw error
  }
  // A merge goes on when nobody reads its output any more, as in `… | head`.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe)
  const flags = command.opts() as unknown as F
  try {
    return await action(flags, command.args)
  } catch (error) {
    process.stderr.write(`${describeError(error, { verbose: flags.verbose > 0 })}\n`)
    return statusOf(error)
  }
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

export function usage(command: Command, problem: string): number {
  process.stderr.write(`error: ${problem}\n\n${command.helpInformation()}`)
  return exitStatus.usage
}

function version(): string {
  return (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }).version
}
