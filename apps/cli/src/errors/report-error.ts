import { describeScreen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'
import { describeError } from './describe-error.ts'
import { formatJsonError } from './json-error.ts'
import type { QuotedText } from './quote-lines.ts'

interface ReportOptions {
  readonly flags: { readonly json?: boolean; readonly verbose: number }
  readonly status: number
  readonly recipe?: QuotedText & { readonly resultStream?: { write(text: string): unknown } }
  /** What the failure leaves, and what can be done with it. */
  readonly remains?: string | undefined
  /** Prints below whatever is on the screen; stderr if absent. */
  readonly print?: { error(text: string): void }
}

/** Tells of an error: in words on stderr, and with `--json` as an object on stdout. */
export function reportError(error: unknown, { flags, status, recipe, remains, print }: ReportOptions): void {
  const { width, style } = describeScreen(process.stderr)
  const verbose = flags.verbose > 0
  const text = describeError(error, { verbose, width, style, ...(recipe !== undefined && { recipe }) })
  const whole = remains === undefined ? text : `${text}\n${wrapText(remains, width)}`
  if (print === undefined) process.stderr.write(`${whole}\n`)
  else print.error(whole)
  if (flags.json) {
    const stream = recipe?.resultStream ?? process.stdout
    stream.write(formatJsonError(error, { status, recipe, verbose }))
  }
}
