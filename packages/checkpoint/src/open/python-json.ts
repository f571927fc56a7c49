const tokens = /"(?:[^"\\]|\\.)*"|-?(?:Infinity|(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|NaN/g
const mark = '\u0000'

/** JSON as Python writes it: `Infinity`, `-Infinity` and `NaN` are numbers, too. @throws SyntaxError */
export function parsePythonJson(text: string): unknown {
  return numbersOf(parseLiterals(text))
}

/**
 * The text of a value that was parsed from `original` and revised. Numbers that did not change are written as they stood
 * there: to Python 30.0 is another thing than 30, and libraries refuse the one where they expect the other.
 */
export function formatLikePythonJson(value: unknown, original: string): string {
  const text = JSON.stringify(literalsOf(value, parseLiterals(original)), undefined, 2)
  return `${text.replace(/"\\u0000([\w.+-]*)"/g, '$1')}\n`
}

/** Every number becomes a text: the mark and what was written. */
function parseLiterals(text: string): unknown {
  const json = text.replace(/^\ufeff/, '')
  try {
    return JSON.parse(json.replace(tokens, (token) => (token.startsWith('"') ? token : `"\\u0000${token}"`)))
  } catch (error) {
    JSON.parse(json) // throws with positions in the text as it is
    throw error
  }
}

const isLiteral = (value: unknown): value is string => typeof value === 'string' && value.startsWith(mark)

function numbersOf(value: unknown): unknown {
  if (isLiteral(value)) return Number(value.slice(1))
  if (Array.isArray(value)) return value.map(numbersOf)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, numbersOf(entry)]))
  return value
}

function literalsOf(value: unknown, original: unknown): unknown {
  if (typeof value === 'number')
    return isLiteral(original) && Object.is(Number(original.slice(1)), value) ? original : value
  if (Array.isArray(value))
    return value.map((entry, index) => literalsOf(entry, Array.isArray(original) ? original[index] : undefined))
  if (typeof value !== 'object' || value === null) return value
  const own = (key: string) =>
    typeof original === 'object' && original !== null && Object.hasOwn(original, key)
      ? (original as Record<string, unknown>)[key]
      : undefined
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, literalsOf(entry, own(key))]))
}
