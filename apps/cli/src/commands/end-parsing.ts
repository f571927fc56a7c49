import type { CommanderError } from 'commander'
import { exitStatus } from '../errors/exit-status.ts'

/** Ends a command whose arguments ask for its help, or can't be parsed; with `--json` stdout tells that, too. @returns the exit status */
export async function endParsing({ exitCode, message }: CommanderError, args: readonly string[]): Promise<number> {
  if (exitCode === 0) return exitStatus.success
  if (args.includes('--json')) {
    const { formatJsonUsage } = await import('../errors/json-error.ts')
    process.stdout.write(formatJsonUsage(message.replace(/^error: /, ''), exitStatus.usage))
  }
  return exitStatus.usage
}
