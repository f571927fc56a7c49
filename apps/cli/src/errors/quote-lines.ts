import { indexOfToken, printable, shortened } from '@mk/errors'

/** A text that messages name places in, as `file:line:column`. */
export interface QuotedText {
  readonly file: string
  readonly text: string
  /** Whether nobody wrote it: places in it are left out. */
  readonly isGenerated?: boolean
}

/** Leaves the place out that a line of a message begins with, where it is one in a text that nobody wrote. */
export function withoutPlace(line: string, { file, isGenerated }: Omit<QuotedText, 'text'>): string {
  if (isGenerated !== true || !line.startsWith(`${file}:`)) return line
  return line.slice(file.length + 1).replace(/^\d+:\d+: /, '')
}

const longest = 72
/** Of the line number and what is around it. */
const marginWidth = 12

/** Shows what stands at the place that a line of a message begins with, with a caret under the column; nothing if it is of another file. */
export function quoteLine(line: string, { file, text }: QuotedText, width?: number): string[] {
  const place = line.startsWith(`${file}:`) ? /^(\d+):(\d+): /.exec(line.slice(file.length + 1)) : null
  const source = place === null ? undefined : text.split('\n')[Number(place[1]) - 1]
  if (place === null || source === undefined) return []
  return quote(source, place[1]!, Number(place[2]), Math.min(longest, (width ?? Infinity) - marginWidth))
}

function quote(source: string, lineNumber: string, column: number, width: number): string[] {
  const shown = (indexOfToken(source) < 0 ? source : printable(source)).replace(/\r$/, '').replaceAll('\t', ' ')
  // A window of a long line, in which the column is to be seen.
  const start = column <= width ? 0 : column - Math.floor(width / 2)
  const cut = shown.slice(start, start + width)
  const before = shortened(cut.slice(0, column - 1 - start), width)
  const line = shortened(cut, width)
  const left = start > 0 ? '…' : ''
  const right = start + width < shown.length ? '…' : ''
  const margin = `  ${lineNumber} | `
  return [
    `${margin}${left}${line}${right}`,
    `${' '.repeat(margin.length - 2)}| ${' '.repeat(left.length + before.length)}^`,
  ]
}

/** Shows a quote in a terminal: what would act on it is escaped, and the caret has a color. */
export const paintQuote = (quote: readonly string[], paint: (text: string) => string): string[] =>
  quote.map((line, index) => (index === 0 ? printable(line) : printable(line).replace('^', () => paint('^'))))
