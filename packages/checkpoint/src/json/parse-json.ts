import { limits } from '../limits.ts'

/** Leaves what a number becomes to the caller, who may want its value or how it is written. */
type NumberOf = (literal: string) => unknown

const numberShape = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/
const words: ReadonlyMap<string, unknown> = new Map<string, unknown>([
  ['true', true],
  ['false', false],
  ['null', null],
])
const numberWords: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity'])

/**
 * Parses JSON as Python's json module writes it, where `NaN`, `Infinity` and `-Infinity` are numbers, too. A byte order mark is
 * skipped. Numbers become doubles.
 * @throws SyntaxError with line and column
 */
export function parsePythonJson(text: string): unknown {
  return parseJson(text, Number)
}

/** Parses as parsePythonJson does, with numbers as `numberOf` has them. @throws SyntaxError with line and column */
export function parseJson(text: string, numberOf: NumberOf): unknown {
  let position = text.startsWith('\ufeff') ? 1 : 0
  let valueCount = 0

  function fail(problem: string, at = position): never {
    let line = 1
    let lineStart = 0
    for (let end = text.indexOf('\n'); end >= 0 && end < at; end = text.indexOf('\n', lineStart)) {
      line++
      lineStart = end + 1
    }
    throw new SyntaxError(`${problem} at line ${line}, column ${at - lineStart + 1}`)
  }
  function unexpected(): never {
    const found = text[position]
    return fail(found === undefined ? 'the text ends too early' : `unexpected ${JSON.stringify(found)}`)
  }
  function skipSpace(): void {
    while (isSpace(text.charCodeAt(position))) position++
  }
  /** Skips the character if it comes next. */
  function takes(character: string): boolean {
    skipSpace()
    if (text[position] !== character) return false
    position++
    return true
  }

  function parseString(): string {
    const start = position
    for (position++; text[position] !== '"'; position++) {
      if (position >= text.length) fail('the text ends inside a string')
      if (text[position] === '\\') position++
    }
    position++
    try {
      return JSON.parse(text.slice(start, position)) as string
    } catch {
      return fail('a string with a control character or a wrong escape', start)
    }
  }

  function parseArray(depth: number): unknown[] {
    const items: unknown[] = []
    position++
    if (takes(']')) return items
    do items.push(parseValue(depth))
    while (takes(','))
    return takes(']') ? items : unexpected()
  }

  function parseObject(depth: number): unknown {
    const entries: [string, unknown][] = []
    position++
    if (takes('}')) return {}
    do {
      skipSpace()
      if (text[position] !== '"') unexpected()
      const key = parseString()
      if (!takes(':')) unexpected()
      entries.push([key, parseValue(depth)])
    } while (takes(','))
    // Defines properties, so that '__proto__' is a key like any other.
    return takes('}') ? Object.fromEntries(entries) : unexpected()
  }

  function parseWord(): unknown {
    const start = position
    while (isWordPart(text.charCodeAt(position))) position++
    const word = text.slice(start, position)
    if (words.has(word)) return words.get(word)
    if (numberWords.has(word)) return numberOf(word)
    if (word.length > limits.numberCharacters) fail(`a number of ${word.length} characters`, start)
    if (numberShape.test(word)) return numberOf(word)
    position = start
    return unexpected()
  }

  function parseValue(depth: number): unknown {
    if (++valueCount > limits.jsonValues) fail(`more than ${limits.jsonValues} values`)
    if (depth === limits.jsonDepth) fail(`nested deeper than ${limits.jsonDepth} levels`)
    skipSpace()
    switch (text[position]) {
      case '"':
        return parseString()
      case '[':
        return parseArray(depth + 1)
      case '{':
        return parseObject(depth + 1)
      default:
        return parseWord()
    }
  }

  const value = parseValue(0)
  skipSpace()
  return position === text.length ? value : unexpected()
}

const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09

/** Letters, digits, and `+`, `-`, `.`: whatever numbers and words are made of. */
const isWordPart = (code: number): boolean =>
  (code >= 0x30 && code <= 0x39) ||
  (code >= 0x41 && code <= 0x5a) ||
  (code >= 0x61 && code <= 0x7a) ||
  code === 0x2b ||
  code === 0x2d ||
  code === 0x2e
