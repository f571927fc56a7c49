import { printable } from '@mk/errors'
import { Command, CommanderError } from 'commander'
import { endParsing } from '../commands/end-parsing.ts'
import { exitStatus } from '../errors/exit-status.ts'

/** Runs `mk-gguf info`, which prints what a GGUF's header says. @returns the exit status */
export async function ggufInfo(args: readonly string[]): Promise<number> {
  const command = new Command('mk-gguf info')
    .description(
      'Print what the header of a GGUF says: a local file, or one at the hub, of which only the header is fetched.',
    )
    .argument('<file>', 'a path, org/name/file.gguf or org/name@revision/file.gguf')
    .option('--json', 'print it as JSON, with all elements of arrays')
    .option('-v, --verbose', 'with an error, say where in the code it was noticed')
    .exitOverride()
    .showSuggestionAfterError()
    .helpOption('-h, --help', 'print this help')
  command.showHelpAfterError(`usage: mk-gguf info ${command.usage()}\n(mk-gguf info --help lists the options)`)
  try {
    command.parse(args, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return await endParsing(error, args)
  }
  const { json, verbose } = command.opts<{ json?: boolean; verbose?: boolean }>()
  const [file] = command.args as [string]
  try {
    const [{ readHeader }, { formatInfo, formatInfoJson }] = await Promise.all([
      import('./read-header.ts'),
      import('./format-info.ts'),
    ])
    const info = { ...(await readHeader(file)), file }
    process.stdout.write(json ? formatInfoJson(info) : printable(formatInfo(info)))
    return exitStatus.success
  } catch (error) {
    const [{ statusOf }, { reportError }] = await Promise.all([
      import('../errors/describe-error.ts'),
      import('../errors/report-error.ts'),
    ])
    const status = statusOf(error)
    reportError(error, { flags: { json: json === true, verbose: verbose === true ? 1 : 0 }, status })
    return status
  }
}
