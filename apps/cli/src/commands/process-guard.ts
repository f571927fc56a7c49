import { writeSync } from 'node:fs'
import { isSystemError, quoted } from '@mk/errors'
import { CommandError } from '../errors/command-error.ts'
import { describeError, statusOf } from '../errors/describe-error.ts'

const stderr = 2

/**
 * Sees to it that a process which ends before its command does, or through an error that nobody awaits, says so and has no status of
 * success: what else it runs is the program's own, so that this is the user's code.
 * @param culprit names what of it ran last
 */
export function guardProcess(culprit: () => string): { release(): void } {
  const tell = (error: unknown) => {
    process.exitCode = statusOf(error)
    writeSync(stderr, `${describeError(error, { verbose: false })}\n`)
  }
  const onExit = () => tell(new CommandError({ code: 'own-code-ended-process', culprit: culprit() }))
  const onException = (error: unknown) => {
    release()
    const problem =
      error instanceof Error ? error.message : `it threw ${typeof error === 'object' ? quoted(error) : String(error)}`
    tell(
      isSystemError(error)
        ? error
        : new CommandError({ code: 'own-code-failed', culprit: culprit(), problem }, { cause: error }),
    )
    process.exit()
  }
  const release = () => {
    process.off('exit', onExit)
    process.off('uncaughtException', onException)
  }
  process.on('exit', onExit)
  process.on('uncaughtException', onException)
  return { release }
}
