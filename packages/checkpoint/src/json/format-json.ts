import { parseJson } from './parse-json.ts'

/** A number of the original text, as it is written there. */
class NumberLiteral {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * Formats a value that was parsed from `original` and revised, indented by two spaces. Numbers that did not change are written
 * as they stand there: to Python 30.0 is another thing than 30, and libraries refuse the one where they expect the other.
 * @throws SyntaxError where `original` is no JSON
 */
export function formatPythonJson(value: unknown, original: string): string {
  const literals = parseJson(original, (text) => new NumberLiteral(text))
  return `${format(value, literals, '\n')}\n`
}

/** @param lineBreak with the indentation of the line that the value is on */
function format(value: unknown, original: unknown, lineBreak: string): string {
  if (typeof value === 'number') {
    const isSame = original instanceof NumberLiteral && Object.is(Number(original.text), value)
    return isSame ? original.text : String(value)
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const inner = `${lineBreak}  `
  const isList = Array.isArray(value)
  const parts = isList
    ? value.map((item, index) => format(item, Array.isArray(original) ? original[index] : undefined, inner))
    : Object.entries(value)
        .filter(([, entry]) => entry !== undefined)
        .map(([key, entry]) => `${JSON.stringify(key)}: ${format(entry, propertyOf(original, key), inner)}`)
  const [open, close] = isList ? '[]' : '{}'
  return parts.length === 0 ? `${open}${close}` : `${open}${inner}${parts.join(`,${inner}`)}${lineBreak}${close}`
}

const propertyOf = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && !(value instanceof NumberLiteral) && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined
