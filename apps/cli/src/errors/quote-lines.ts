import { indexOfToken, printable, shortened } from '@mk/errors'

/** A text that messages name places in, as `file:line:column`. */
export interface QuotedText {
  readonly file: string
  readonly text: string
}

const longest = 72

/** Shows under each line of a message that begins with a place in the text what stands there, with a caret under the column. */
export function quoteLines(message: string, { file, text }: QuotedText): string {
  const lines = text.split('\n')
  return message
    .split('\n')
    .flatMap((line) => {
      const place = line.startsWith(`${file}:`) ? /^(\d+):(\d+): /.exec(line.slice(file.length + 1)) : null
      const source = place === null ? undefined : lines[Number(place[1]) - 1]
      return place === null || source === undefined ? [line] : [line, ...quote(source, place[1]!, Number(place[2]))]
    })
    .join('\n')
}

function quote(source: string, lineNumber: string, column: number): string[] {
  const shown = (indexOfToken(source) < 0 ? source : printable(source)).replace(/\r$/, '').replaceAll('\t', ' ')
  // A window of a long line, in which the column is to be seen.
  const start = column <= longest ? 0 : column - longest / 2
  const cut = shown.slice(start, start + longest)
  const before = shortened(cut.slice(0, column - 1 - start), longest)
  const line = shortened(cut, longest)
  const left = start > 0 ? '…' : ''
  const right = start + longest < shown.length ? '…' : ''
  const margin = `  ${lineNumber} | `
  return [
    `${margin}${left}${line}${right}`,
    `${' '.repeat(margin.length - 2)}| ${' '.repeat(left.length + before.length)}^`,
  ]
}
