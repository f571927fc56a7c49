import { CommandError } from '../errors/command-error.ts'
import { statusOf } from '../errors/describe-error.ts'
import { reportError } from '../errors/report-error.ts'
import { createInterruption, type Interruption } from './interruption.ts'
import { createPrinter, type Printer } from './printer.ts'
import type { Recipe } from './recipe.ts'

/** What a command works with that a signal may end. */
export interface Running {
  readonly print: Printer
  readonly interruption: Interruption
}

interface RunSettings {
  readonly flags: { readonly quiet?: boolean; readonly json?: boolean; readonly verbose: number }
  readonly recipe?: Recipe | undefined
  /** What an error is told as that came after a signal; absent: as an interruption before anything was written. */
  readonly explain?: (error: unknown, interruption: Interruption) => unknown
}

/** Does what a command does, and tells of errors and signals. @returns the exit status */
export async function runInterruptible(
  { flags, recipe, explain = asPreparation }: RunSettings,
  work: (running: Running) => Promise<number>,
): Promise<number> {
  const interruption = createInterruption()
  const print = createPrinter({ quiet: flags.quiet ?? false, ...(recipe && { recipe }) })
  try {
    return await work({ print, interruption })
  } catch (caught) {
    const error = interruption.signal.aborted ? explain(caught, interruption) : caught
    const status = interruption.status ?? statusOf(error)
    reportError(error, { print, flags, status, ...(recipe && { recipe }) })
    return status
  } finally {
    print.progress.end()
    interruption.release()
  }
}

const asPreparation = (cause: unknown): unknown => new CommandError({ code: 'preparation-interrupted' }, { cause })
