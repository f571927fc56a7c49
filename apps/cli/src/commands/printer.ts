import { shortened } from '@mk/errors'
import { paintQuote, type QuotedText, quoteLine, withoutPlace } from '../errors/quote-lines.ts'
import { createProgress, type Progress, silentProgress } from '../print/progress.ts'
import { describeScreen, type Screen } from '../print/style.ts'
import { wrapText } from '../print/wrap-text.ts'

/** What goes to stderr: what a person should know while a command runs. */
export interface Printer {
  readonly screen: Screen
  readonly progress: Progress
  note(text: string): void
  /** Each further item is a line of its own below the text. */
  warning(text: string, ...items: readonly string[]): void
  /** What comes in any case. */
  error(text: string): void
}

interface PrinterOptions {
  /** Whether it prints nothing but errors. */
  readonly quiet?: boolean
  /** Shown line by line under what names a place in it. */
  readonly recipe?: QuotedText
}

/** Creates a printer. */
export function createPrinter({ quiet = false, recipe }: PrinterOptions): Printer {
  const screen = describeScreen(process.stderr)
  const write = (text: string) => process.stderr.write(text)
  const progress = quiet ? silentProgress(write) : createProgress(process.stderr)
  // Names of tensors, tokens and files are the input's.
  const say = (label: string, text: string, paint: (text: string) => string = (same) => same) => {
    if (quiet) return
    const told = recipe === undefined ? text : withoutPlace(text, recipe)
    const quote = recipe === undefined ? [] : quoteLine(told, recipe, screen.width)
    const lines = [wrapText(`${label}${shortened(told, 4000)}`, screen.width, '  '), ...paintQuote(quote, paint)]
    progress.print(`${lines.join('\n')}\n`)
  }
  return {
    screen,
    progress,
    note: (text) => say(screen.style.cyan('note: '), text, screen.style.cyan),
    warning(text, ...items) {
      say(screen.style.yellow('warning: '), text, screen.style.yellow)
      for (const item of items) say('  ', item)
    },
    // A terminal has written ^C where Ctrl-C was pressed.
    error: (text) => progress.print(`${screen.isTTY ? '\r\u001b[K' : ''}${text}\n`),
  }
}
