import { stripVTControlCharacters } from 'node:util'

/** Characters of East Asian scripts and pictures take two columns, marks over others none. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
const zero = /\p{Mn}|\p{Me}|\p{Cf}/u

/** Tells how many columns of a terminal a text takes. */
export function textWidth(text: string): number {
  let width = 0
  for (const character of stripVTControlCharacters(text))
    width += zero.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

/**
 * Breaks lines at spaces so that none is wider than the terminal. A single word that is wider (a path, an address) stays whole, to be
 * copied.
 * @param hang what the further lines of a broken line begin with, besides its own indentation
 */
export function wrapText(text: string, width: number | undefined, hang = ''): string {
  if (width === undefined) return text
  return text
    .split('\n')
    .map((line) => wrapLine(line, width, hang))
    .join('\n')
}

function wrapLine(line: string, width: number, hang: string): string {
  if (textWidth(line) <= width) return line
  const indentation = /^\s*/.exec(line)![0]
  const start = `${indentation}${hang}`
  const lines: string[] = []
  let current = indentation
  let isEmpty = true
  for (const word of line.slice(indentation.length).split(' ')) {
    if (isEmpty || textWidth(current) + 1 + textWidth(word) <= width) current += isEmpty ? word : ` ${word}`
    else {
      lines.push(current.trimEnd())
      current = start + word
    }
    isEmpty = false
  }
  return [...lines, current].join('\n')
}

/** Cuts a text to a number of columns, with … for what is cut off. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text
  let cut = ''
  for (const character of text) {
    if (textWidth(cut + character) > width - 1) break
    cut += character
  }
  return width < 1 ? '' : `${cut}…`
}
