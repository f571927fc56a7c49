import { issueErrorOf, isSystemError, printable, systemReason } from '@mk/errors'
import { plainStyle, type Style } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'
import { exitStatus } from './exit-status.ts'
import { hints } from './hints.ts'
import { explainFewFiles } from './open-files-limit.ts'
import { paintQuote, type QuotedText, quoteLine, withoutPlace } from './quote-lines.ts'

/** Tells the exit status of an error: its own word for whose it is to mend; 1 for what no package foresaw. */
export function statusOf(error: unknown): number {
  return issueErrorOf(error)?.fault === 'usage' ? exitStatus.usage : exitStatus.failure
}

export interface DescribeOptions {
  readonly verbose: boolean
  /** Shown line by line under the faults that name a place in it. */
  readonly recipe?: QuotedText
  /** Columns that the text is wrapped to; absent: it is not. */
  readonly width?: number | undefined
  readonly style?: Style
}

/**
 * Formats an error for a person: message and hints. What the operating system refuses names the file and says why; what nobody
 * foresaw comes with its stack.
 */
export function describeError(error: unknown, { verbose, recipe, width, style = plainStyle }: DescribeOptions): string {
  const label = style.red('error:')
  const wrap = (text: string) => wrapText(printable(text), width, '  ')
  if (!(error instanceof Error)) return `${label} ${wrap(String(error))}`
  const explained = explainError(error)
  const text = explained ?? `${error.message} (this was not foreseen; please report it)`
  const lines = text.split('\n').flatMap((told, index) => {
    const line = recipe === undefined ? told : withoutPlace(told, recipe)
    const quote = recipe === undefined ? [] : quoteLine(line, recipe, width)
    const wrapped = wrap(index === 0 ? `error: ${line}` : line)
    return [index === 0 ? wrapped.replace('error:', () => label) : wrapped, ...paintQuote(quote, style.red)]
  })
  lines.push(...hintsOf(error).map(wrap))
  if (verbose || explained === undefined) lines.push(...stackOf(error).map(printable))
  return lines.join('\n')
}

/** Gives the words for an error of these packages, or for what is no fault in them; undefined for what nobody foresaw. */
export function explainError(error: Error): string | undefined {
  if (issueErrorOf(error) !== undefined) return error.message
  const fewFiles = explainFewFiles(error)
  if (fewFiles !== undefined) return fewFiles
  if (!isSystemError(error)) return undefined
  return error.path === undefined ? `${error.syscall}: ${systemReason(error)}` : `${error.path}: ${systemReason(error)}`
}

/** Gives what helps against an error, which may tell of several faults, each with its code. */
export function hintsOf(caught: unknown): string[] {
  const error = issueErrorOf(caught)
  if (error === undefined) return []
  const { faults } = error.issue as { readonly faults?: readonly { readonly code: string }[] }
  const { issues } = error as { readonly issues?: readonly { readonly code: string }[] }
  const codes = [error.code, ...[...(faults ?? []), ...(issues ?? [])].map(({ code }) => code)]
  return [...new Set(codes)].flatMap((code) => (Object.hasOwn(hints, code) ? [hints[code]!] : []))
}

/** Lists the stacks of an error and of what caused it. */
export function stackOf(error: Error): string[] {
  const causes: string[] = []
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    causes.push(cause.stack ?? cause.message)
  return causes
}
