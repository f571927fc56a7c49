import { textWidth, wrapText } from './wrap-text.ts'

/** One column of a table for a terminal. */
export interface Column {
  readonly title: string
  readonly align?: 'right'
  /** Where the terminal is narrow, columns with the highest number go first; absent: it stays. */
  readonly dropOrder?: number
}

const gap = 2
/** A last column that is narrower than that has its text on lines of its own. */
const leastLast = 20

/** Lays rows out in columns; the last one takes what is left of the width, and wraps. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number | undefined,
): string[] {
  let shown = columns.map((_, index) => index)
  const widths = columns.map(({ title }, index) =>
    rows.reduce((most, row) => Math.max(most, textWidth(row[index]!)), textWidth(title)),
  )
  const fixedWidth = () => shown.slice(0, -1).reduce((sum, index) => sum + widths[index]! + gap, 0)
  const lastWidth = () => Math.min(leastLast, widths.at(-1)!)
  while (width !== undefined && fixedWidth() + lastWidth() > width) {
    const next = shown.filter((index) => columns[index]!.dropOrder !== undefined)
    if (next.length === 0) break
    const dropped = next.reduce((a, b) => (columns[a]!.dropOrder! >= columns[b]!.dropOrder! ? a : b))
    shown = shown.filter((index) => index !== dropped)
  }
  const last = shown.at(-1)!
  const isBeside = width === undefined || fixedWidth() + lastWidth() <= width
  const line = (cells: readonly string[]): string[] => {
    const start = shown
      .slice(0, -1)
      .map((index) => pad(cells[index]!, widths[index]!, columns[index]!.align) + ' '.repeat(gap))
      .join('')
    if (!isBeside)
      return [start.trimEnd(), ...wrapText(`    ${cells[last]!}`, width).split('\n')].filter(
        (each) => each.trim() !== '',
      )
    const room = width === undefined ? undefined : width - textWidth(start)
    return wrapText(cells[last]!, room)
      .split('\n')
      .map((text, index) => `${index === 0 ? start : ' '.repeat(textWidth(start))}${text}`.trimEnd())
  }
  const titles = columns.map(({ title }) => title)
  return [
    ...line(isBeside ? titles : titles.map((title, index) => (index === last ? '' : title))),
    ...rows.flatMap(line),
  ]
}

function pad(text: string, width: number, align: Column['align']): string {
  const spaces = ' '.repeat(Math.max(0, width - textWidth(text)))
  return align === 'right' ? spaces + text : text + spaces
}
