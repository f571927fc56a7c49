import { expect, test } from 'vitest'
import { formatPythonJson } from './format-json.ts'
import { parsePythonJson } from './parse-json.ts'

const original =
  '{"cap": 30.0, "eps": 1e-06, "limit": [0.0, Infinity], "low": -Infinity, "n": 12, "big": 1000000000000000019884624838656, "text": "1.0, NaN \\" 2.0", "none": null, "deep": {"theta": 10000.0}}'

test('reads what JSON.parse reads', () => {
  const text = '{"a": [1, -2.5e3, true, null, "x \\"y\\" 3.0"], "b": {"c": 0.1, "": "\\\\"}}'
  expect(parsePythonJson(text)).toEqual(JSON.parse(text))
})

test('reads the numbers that JSON has not', () => {
  expect(parsePythonJson(original)).toMatchObject({ limit: [0, Infinity], low: -Infinity, text: '1.0, NaN " 2.0' })
  expect(parsePythonJson('[NaN]')).toEqual([NaN])
})

test.for(['{"a": 1.}', '{"a": .5}', '{a: 1}', '{"a": 1', '{"a": +1}', '01', '{"a": 1 2}', "{'a': 1}"])(
  'throws for %s',
  (text) => {
    expect(() => parsePythonJson(text)).toThrow(SyntaxError)
  },
)

test('writes numbers that did not change as they stood', () => {
  const value = parsePythonJson(original) as Record<string, unknown>
  expect(formatPythonJson(value, original).replace(/\s/g, '')).toBe(original.replace(/\s/g, ''))
})

test('writes what changed, moved or is new as JSON does', () => {
  const value = {
    ...(parsePythonJson(original) as Record<string, unknown>),
    cap: 31,
    added: 5,
    deep: { theta: 10000, other: 2.5 },
    limit: [0],
  }
  expect(JSON.parse(formatPythonJson(value, original).replace('-Infinity', 'null'))).toMatchObject({
    cap: 31,
    added: 5,
    n: 12,
    limit: [0],
    deep: { theta: 10000, other: 2.5 },
  })
  expect(formatPythonJson(value, original)).toContain('"theta": 10000.0,')
})

test('writes items of a list as equal items stood, and whole numbers among floats with a point', () => {
  const text = '{"sparsity": [0.95, 0.0], "heads": [4, 8], "mixed": [1e0, 2]}'
  const value = { sparsity: [0, 0.95, 1], heads: [8, 8, 3], mixed: [2, 1, 7] }
  const compact = (json: string) => json.replace(/\s/g, '')
  expect(compact(formatPythonJson(value, text))).toBe('{"sparsity":[0.0,0.95,1.0],"heads":[8,8,3],"mixed":[2,1e0,7.0]}')
})

test('keeps text that looks like a mark, a number or a name of another language', () => {
  const text = '{"name": "\\u0000oops", "\\u0000key": "\\u00001.0", "__proto__": {"a": 1.0}, "empty": [{}, []]}'
  const value = parsePythonJson(text) as Record<string, unknown>
  expect(value).toEqual(JSON.parse(text))
  expect(Object.keys(value)).toContain('__proto__')
  expect(JSON.parse(formatPythonJson(value, text))).toEqual(JSON.parse(text))
  expect(formatPythonJson(value, text)).toContain('"a": 1.0')
})

test('writes values as JSON.stringify does where no number has another spelling', () => {
  const value = { a: [], b: {}, c: [1, [2, { d: null }]], e: 'ü\ud800', f: -0, g: 1e21, h: true, i: undefined }
  expect(formatPythonJson(value, '{}')).toBe(`${JSON.stringify(value, undefined, 2)}\n`)
})

test.each([
  ['{"a" 1}', 'unexpected "1" at line 1, column 6'],
  ['{"a": 1,}', 'unexpected "}" at line 1, column 9'],
  ['[1 2]', 'unexpected "2" at line 1, column 4'],
  ['[1', 'the text ends too early at line 1, column 3'],
  ['1 2', 'unexpected "2" at line 1, column 3'],
  ['{} x', 'unexpected "x" at line 1, column 4'],
  ['\n\n  nul', 'unexpected "n" at line 3, column 3'],
  ['{"a": "b', 'the text ends inside a string at line 1, column 9'],
  ['["\\x"]', 'a string with a control character or a wrong escape at line 1, column 2'],
  ['["a\nb"]', 'a string with a control character or a wrong escape at line 1, column 2'],
])('of %j it says where it goes wrong', (text, problem) => {
  expect(() => parsePythonJson(text)).toThrow(problem)
})

test.each([
  ['lists', '[', ']', 1],
  ['objects', '{"a":', '}', 1],
  ['one in the other', '[{"a":', '}]', 2],
])('nests %s a thousand levels deep with the innermost value, and no deeper', (_, open, close, levels) => {
  const nested = (depth: number) => `${open.repeat(depth)}${close.repeat(depth)}`.replace(/:}/, ':1}')
  expect(() => parsePythonJson(nested(998 / levels))).not.toThrow()
  expect(() => parsePythonJson(nested(1002 / levels))).toThrow('nested deeper than 1000 levels')
})

test('skips a byte order mark, and spaces of JSON only', () => {
  expect(parsePythonJson('\ufeff{"a": 1}')).toEqual({ a: 1 })
  expect(parsePythonJson(' \t\r\n[ 1 ,\n2 ]\r\n')).toEqual([1, 2])
  expect(() => parsePythonJson('\u00a0[]')).toThrow('column 1')
  expect(() => parsePythonJson('[]\ufeff')).toThrow('column 3')
})

test('writes what JSON has no word for as JSON.stringify does in a list', () => {
  expect(formatPythonJson([undefined, 1], '[0, 1]').replace(/\s/g, '')).toBe('[null,1]')
})

test('tells line and column', () => {
  expect(() => parsePythonJson('{\n  "a": 1,\n}')).toThrow('unexpected "}" at line 3, column 1')
  expect(() => parsePythonJson('["a')).toThrow('the text ends inside a string at line 1, column 4')
  expect(() => parsePythonJson('["\\x"]')).toThrow(
    'a string with a control character or a wrong escape at line 1, column 2',
  )
  expect(() => parsePythonJson('')).toThrow('the text ends too early at line 1, column 1')
})

test('refuses what would exhaust the stack, and takes long strings', () => {
  expect(() => parsePythonJson('['.repeat(100_000))).toThrow('nested deeper than 1000 levels')
  expect(() => parsePythonJson('1'.repeat(5000))).toThrow('a number of 5000 characters')
  const long = 'x\\n'.repeat(3_000_000)
  expect((parsePythonJson(`["${long}"]`) as string[])[0]!.length).toBe(6_000_000)
})
