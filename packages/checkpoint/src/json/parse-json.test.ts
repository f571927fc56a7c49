import { expect, test } from 'vitest'
import { limits } from '../limits.ts'
import { parseJson, parsePythonJson } from './parse-json.ts'

const problemOf = (text: string): string => {
  try {
    parsePythonJson(text)
    return 'none'
  } catch (error) {
    expect(error).toBeInstanceOf(SyntaxError)
    return (error as Error).message
  }
}

test.each<[string, unknown]>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['-Infinity', Number.NEGATIVE_INFINITY],
  ['\ufeff [1, -2.5e+3, "a\\n\\""]', [1, -2500, 'a\n"']],
  [' { "a" : { } , "b" : [ ] }\t\r\n', { a: {}, b: [] }],
  ['{"a": 1, "a": 2}', { a: 2 }],
])('%j is %j', (text, value) => {
  expect(parsePythonJson(text)).toEqual(value)
})

test.each([
  ['', 'the text ends too early at line 1, column 1'],
  ['\n\n x', 'unexpected "x" at line 3, column 2'],
  ['[1,\n2 3]', 'unexpected "3" at line 2, column 3'],
  ['{\n"a"\n:\n?}', 'unexpected "?" at line 4, column 1'],
  ['{1: 2}', 'unexpected "1" at line 1, column 2'],
  ['{"a" 2}', 'unexpected "2" at line 1, column 6'],
  ['[1,]', 'unexpected "]" at line 1, column 4'],
  ['[1', 'the text ends too early at line 1, column 3'],
  ['"a', 'the text ends inside a string at line 1, column 3'],
  ['\n"a\\x"', 'a string with a control character or a wrong escape at line 2, column 1'],
  ['"a\nb"', 'a string with a control character or a wrong escape at line 1, column 1'],
  ['01', 'unexpected "0" at line 1, column 1'],
  ['1z', 'unexpected "1" at line 1, column 1'],
  ['truez', 'unexpected "t" at line 1, column 1'],
  ['TRUE', 'unexpected "T" at line 1, column 1'],
  ['1 2', 'unexpected "2" at line 1, column 3'],
])('%j: %s', (text, problem) => {
  expect(problemOf(text)).toBe(problem)
})

test.each(['/', ':', '@', '[', '`', '{', '}', ',', '*', '\u00e9', ' '])('a word ends before %j', (after) => {
  // What is not a part of the word is what is unexpected, and not the word.
  expect(problemOf(`true${after}1`)).toContain(`unexpected ${JSON.stringify(after.trim() || '1')} at line 1`)
})

test.each(['0', '9', 'A', 'Z', 'a', 'z', '+', '-', '.'])('%s is a part of a word', (part) => {
  expect(problemOf(`true${part}`)).toBe('unexpected "t" at line 1, column 1')
})

test('numbers, depth and count of values are bounded', () => {
  const digits = (count: number) => '1'.repeat(count)
  expect(parseJson(digits(limits.numberCharacters), (text) => text)).toBe(digits(limits.numberCharacters))
  expect(problemOf(digits(limits.numberCharacters + 1))).toContain(
    `a number of ${limits.numberCharacters + 1} characters`,
  )
  const nested = (depth: number) => `${'['.repeat(depth)}1${']'.repeat(depth)}`
  expect(problemOf(nested(limits.jsonDepth - 1))).toBe('none')
  expect(problemOf(nested(limits.jsonDepth))).toContain(`nested deeper than ${limits.jsonDepth} levels`)
  const list = (count: number) => `[${'1,'.repeat(count - 1)}1]`
  expect(problemOf(list(limits.jsonValues - 1))).toBe('none')
  expect(problemOf(list(limits.jsonValues))).toContain(`more than ${limits.jsonValues} values`)
})
