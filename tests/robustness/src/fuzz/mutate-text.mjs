import { oddText } from './mutate-json.mjs'

/** Pieces that mean something in JSON or in YAML. */
const pieces = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '\\',
  '\0',
  '\n',
  '1e999',
  'null',
  '-',
  '&a ',
  '*a',
  '!!js/function',
  '!!binary ',
  '<<: ',
  '? ',
  '|\n',
  '>\n',
  '\t',
  '#',
  '@',
  '%',
  '---\n',
  '...\n',
  '\u0085',
  '{}',
  '[]',
  '~',
  '0x1F',
  '.inf',
  '.nan',
  '1_000',
  '2001-01-01',
  'yes',
]

/** Changes one to four places of a text. @param {import('../random.mjs').Random} random @param {string} text */
export function mutateText(random, text) {
  let result = text
  for (let count = 1 + random.below(4); count > 0; count--) {
    const at = random.below(result.length + 1)
    const length = random.below(Math.min(30, result.length - at) + 1)
    const before = result.slice(0, at)
    const after = result.slice(at)
    switch (random.pick(['cut', 'insert', 'repeat', 'end', 'odd', 'character', 'line'])) {
      case 'cut':
        result = before + after.slice(length)
        break
      case 'insert':
        result = before + random.pick(pieces) + after
        break
      case 'repeat':
        result = before + after.slice(0, length) + after
        break
      case 'end':
        result = before
        break
      case 'odd':
        result = before.slice(0, Math.max(0, at - length)) + oddText(random) + after
        break
      case 'character':
        result = before + String.fromCharCode(random.below(0x300)) + after.slice(1)
        break
      case 'line':
        result = repeatLine(random, result)
        break
    }
  }
  return result
}

/** Puts a line somewhere else too, at another depth. */
function repeatLine(random, text) {
  const lines = text.split('\n')
  const line = random.pick(lines).trimStart()
  lines.splice(random.below(lines.length), 0, random.pick(['', ' ', '  ', '    ']) + line)
  return lines.join('\n')
}
