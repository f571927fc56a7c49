import { issueErrorOf, printable } from '@mk/errors'
import { exitStatus } from './exit-status.ts'
import { hints } from './hints.ts'
import { type QuotedText, quoteLines } from './quote-lines.ts'

/** Tells the exit status of an error: its own word for whose it is to mend; 1 for what no package foresaw. */
export function statusOf(error: unknown): number {
  return issueErrorOf(error)?.fault === 'usage' ? exitStatus.usage : exitStatus.failure
}

/**
 * Formats an error for a person: message and hints; those that no package foresaw come with their stack.
 * @param recipe shown line by line under the faults that name a place in it
 */
export function describeError(
  error: unknown,
  { verbose, recipe }: { readonly verbose: boolean; readonly recipe?: QuotedText },
): string {
  if (!(error instanceof Error)) return printable(`error: ${String(error)}`)
  const known = issueErrorOf(error)
  const text = known === undefined ? `${error.message} (this was not foreseen; please report it)` : error.message
  const lines = [`error: ${recipe === undefined ? text : quoteLines(text, recipe)}`, ...(known ? hintsOf(known) : [])]
  if (verbose || known === undefined) lines.push(...stackOf(error))
  return printable(lines.join('\n'))
}

/** One error may tell of several faults, each with its code. */
function hintsOf(error: NonNullable<ReturnType<typeof issueErrorOf>>): string[] {
  const { faults } = error.issue as { readonly faults?: readonly { readonly code: string }[] }
  const { issues } = error as { readonly issues?: readonly { readonly code: string }[] }
  const codes = [error.code, ...[...(faults ?? []), ...(issues ?? [])].map(({ code }) => code)]
  return [...new Set(codes)].flatMap((code) => (Object.hasOwn(hints, code) ? [hints[code]!] : []))
}

function stackOf(error: Error): string[] {
  const causes: string[] = []
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    causes.push(cause.stack ?? cause.message)
  return causes
}
