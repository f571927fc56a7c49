import { issueErrorOf, printable } from '@mk/errors'
import { exitStatus } from './exit-status.ts'
import { hints } from './hints.ts'

/** Tells the exit status of an error: its own word for whose it is to mend; 1 for what no package foresaw. */
export function statusOf(error: unknown): number {
  return issueErrorOf(error)?.fault === 'usage' ? exitStatus.usage : exitStatus.failure
}

/** Formats an error for a person: message and hint; those that no package foresaw come with their stack. */
export function describeError(error: unknown, { verbose }: { readonly verbose: boolean }): string {
  if (!(error instanceof Error)) return printable(`error: ${String(error)}`)
  const known = issueErrorOf(error)
  const text = known === undefined ? `${error.message} (this was not foreseen; please report it)` : error.message
  const hint = known && hints[known.code]
  const lines = [`error: ${text}`, ...(hint === undefined ? [] : [hint])]
  if (verbose || known === undefined) lines.push(...stackOf(error))
  return printable(lines.join('\n'))
}

function stackOf(error: Error): string[] {
  const causes: string[] = []
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    causes.push(cause.stack ?? cause.message)
  return causes
}
