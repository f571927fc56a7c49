import { Command, CommanderError } from 'commander'
import { tolerateClosedPipes } from '../commands/closed-pipe.ts'
import { endParsing } from '../commands/end-parsing.ts'
import { packageVersion } from '../commands/run-merge-command.ts'
import { exitStatus } from '../errors/exit-status.ts'

/** Runs `mk-gguf`: `info` prints what a GGUF's header says, `convert` writes a model as one. @returns the exit status */
export async function mkGguf(args: readonly string[]): Promise<number> {
  tolerateClosedPipes()
  const [name, ...rest] = args
  if (name === 'info') return (await import('./info-command.ts')).ggufInfo(rest)
  if (name === 'convert') return (await import('./convert-command.ts')).ggufConvert(rest)
  const command = new Command('mk-gguf')
    .description('Convert models to GGUF, the format of llama.cpp, and look into its files.')
    .version(packageVersion(), '--version')
    .exitOverride()
    .showSuggestionAfterError()
    .showHelpAfterError()
    .helpOption('-h, --help', 'print this help')
    .helpCommand(false)
  command.command('convert <model> <out.gguf>').description('write a model folder, or one of the hub, as a GGUF')
  command.command('info <file>').description('print what the header of a GGUF says, also of one at the hub')
  try {
    command.parse(args, { from: 'user' })
    return exitStatus.usage
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return await endParsing(error, args)
  }
}
