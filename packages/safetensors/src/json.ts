import { SafetensorsError } from './errors.ts'
import { closingQuote, type JsonLimits, scanJson } from './json-limits.ts'

/**
 * Parses JSON like JSON.parse, but refuses what is over the limits, and an object with the same key twice, which JSON.parse
 * hides.
 * @throws SafetensorsError `duplicate-key`, and whatever `notJson` makes of a syntax error, or of what there is too much of.
 */
export function parseJson(
  text: string,
  limits: JsonLimits,
  file: string | undefined,
  notJson: (reason: string) => SafetensorsError,
): unknown {
  const found = scanJson(text, limits)
  if (typeof found === 'string') throw notJson(found)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw notJson((error as Error).message)
  }
  // A key that is there twice is in the text twice, and once in what was parsed.
  if (countKeys(value) !== found) throw new SafetensorsError({ code: 'duplicate-key', key: duplicateKey(text)! }, file)
  return value
}

/** Counts the keys of all objects in a JSON value, whose depth is limited. */
function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const each of value) if (typeof each === 'object') count += countKeys(each)
    return count
  }
  for (const key in value) {
    const each = (value as Record<string, unknown>)[key]
    count += typeof each === 'object' ? 1 + countKeys(each) : 1
  }
  return count
}

/** Names the kind of a JSON value, for messages. */
export function jsonKind(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : `a ${typeof value}`
}

/** Tells whether a JSON value is an object, and neither an array nor null. */
export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Finds the first key that an object of this valid JSON text repeats. */
function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = []
  let string: string | undefined
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '"': {
        const start = i
        i = closingQuote(text, start)
        string = text.slice(start, i + 1)
        break
      }
      case ':': {
        const key = string!.includes('\\') ? (JSON.parse(string!) as string) : string!.slice(1, -1)
        const keys = open.at(-1)!
        if (keys.has(key)) return key
        keys.add(key)
        break
      }
      case '{':
        open.push(new Set())
        break
      case '[':
        open.push(undefined)
        break
      case '}':
      case ']':
        open.pop()
        break
    }
  }
  return undefined
}
