import { shortened } from '@mk/errors'
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

/** Creates a printer. @param quiet whether it prints nothing but errors */
export function createPrinter({ quiet = false }: { readonly quiet?: boolean }): Printer {
  const screen = describeScreen(process.stderr)
  const write = (text: string) => process.stderr.write(text)
  const progress = quiet ? silentProgress(write) : createProgress(process.stderr)
  // Names of tensors, tokens and files are the input's.
  const say = (label: string, text: string) => {
    if (!quiet) progress.print(`${wrapText(`${label}${shortened(text, 4000)}`, screen.width, '  ')}\n`)
  }
  return {
    screen,
    progress,
    note: (text) => say(screen.style.cyan('note: '), text),
    warning(text, ...items) {
      say(screen.style.yellow('warning: '), text)
      for (const item of items) say('  ', item)
    },
    // A terminal has written ^C where Ctrl-C was pressed.
    error: (text) => progress.print(`${screen.isTTY ? '\r\u001b[K' : ''}${text}\n`),
  }
}
