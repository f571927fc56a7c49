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

/**
 * Finds for an item of a list how it is written: as in its place, else as an equal item; else, where numbers have a point, with
 * one. Lists with an entry per layer change their length and their order, and what is a float in them stays one.
 */
function literalOf(item: unknown, index: number, original: readonly unknown[]): unknown {
  if (typeof item !== 'number') return original[index]
  const isSame = (literal: unknown) => literal instanceof NumberLiteral && Object.is(Number(literal.text), item)
  const known = [original[index], ...original].find(isSame)
  if (known !== undefined || !Number.isSafeInteger(item)) return known
  const hasFloats = original.some((literal) => literal instanceof NumberLiteral && /[.e]/i.test(literal.text))
  return hasFloats ? new NumberLiteral(`${String(item)}.0`) : undefined
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
    ? value.map((item, index) =>
        format(item, Array.isArray(original) ? literalOf(item, index, original) : undefined, inner),
      )
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
