/** What a JSON text may have at most. */
export interface JsonLimits {
  /** Of lists and objects in one another. */
  readonly depth: number
  /** Of the outermost object. */
  readonly topKeys: number
  /** Of all objects together. */
  readonly keys: number
  /** Numbers, texts, lists, objects and words, all together. */
  readonly values: number
  readonly keyCharacters: number
}

/**
 * Tells what a text that may be JSON has too much of, in one pass that builds nothing: JSON.parse takes a hundred times the
 * memory of a text of brackets, and what walks through its result recurses. Undefined where there is not too much of anything,
 * whether or not the text is valid.
 */
export function findJsonExcess(text: string, limits: JsonLimits): string | undefined {
  const found = scanJson(text, limits)
  return typeof found === 'string' ? found : undefined
}

/** Does the same; where there is not too much, it gives the number of keys of all objects, of a text that is valid. */
export function scanJson(text: string, limits: JsonLimits): string | number {
  let depth = 0
  let topKeys = 0
  let keys = 0
  let values = 1
  let stringLength = 0
  for (let index = 0; index < text.length; index++) {
    switch (text.charCodeAt(index)) {
      case quote: {
        const end = closingQuote(text, index)
        if (end < 0) return keys
        stringLength = end - index - 1
        index = end
        break
      }
      case colon:
        if (stringLength > limits.keyCharacters)
          return `a key of ${stringLength} characters, where at most ${limits.keyCharacters} are read`
        if (++keys > limits.keys) return `more than ${limits.keys} keys`
        if (depth === 1 && ++topKeys > limits.topKeys) return `more than ${limits.topKeys} keys at its top`
        break
      case comma:
        if (++values > limits.values) return `more than ${limits.values} values`
        break
      case openBracket:
      case openBrace:
        if (++depth > limits.depth) return `lists or objects nested more than ${limits.depth} levels deep`
        if (++values > limits.values) return `more than ${limits.values} values`
        break
      case closeBracket:
      case closeBrace:
        depth--
        break
    }
  }
  return keys
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** Finds the end of the string that begins at a quotation mark; negative where there is none. */
export function closingQuote(text: string, openingQuote: number): number {
  let end = text.indexOf('"', openingQuote + 1)
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text[index - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}
