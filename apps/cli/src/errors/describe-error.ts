import { issueErrorOf, isSystemError, printable, systemReason } from '@mk/errors'
import { exitStatus } from './exit-status.ts'
import { hints } from './hints.ts'
import { explainFewFiles } from './open-files-limit.ts'
import { type QuotedText, quoteLines } from './quote-lines.ts'

/** Tells the exit status of an error: its own word for whose it is to mend; 1 for what no package foresaw. */
export function statusOf(error: unknown): number {
  return issueErrorOf(error)?.fault === 'usage' ? exitStatus.usage : exitStatus.failure
}

/**
 * Formats an error for a person: message and hints. What the operating system refuses names the file and says why; what nobody
 * foresaw comes with its stack.
 * @param recipe shown line by line under the faults that name a place in it
 */
export function describeError(
  error: unknown,
  { verbose, recipe }: { readonly verbose: boolean; readonly recipe?: QuotedText },
): string {
  if (!(error instanceof Error)) return printable(`error: ${String(error)}`)
  const known = issueErrorOf(error)
  const explained = known === undefined ? explain(error) : error.message
  const text = explained ?? `${error.message} (this was not foreseen; please report it)`
  const lines = [`error: ${recipe === undefined ? text : quoteLines(text, recipe)}`, ...(known ? hintsOf(known) : [])]
  if (verbose || explained === undefined) lines.push(...stackOf(error))
  return printable(lines.join('\n'))
}

/** Explains what is no error of these packages and no fault in them either. */
function explain(error: Error): string | undefined {
  const fewFiles = explainFewFiles(error)
  if (fewFiles !== undefined) return fewFiles
  if (!isSystemError(error)) return undefined
  return error.path === undefined ? `${error.syscall}: ${systemReason(error)}` : `${error.path}: ${systemReason(error)}`
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
