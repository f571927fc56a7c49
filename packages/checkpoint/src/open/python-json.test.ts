import { expect, test } from 'vitest'
import { formatLikePythonJson, parsePythonJson } from './python-json.ts'

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
  expect(formatLikePythonJson(value, original).replace(/\s/g, '')).toBe(original.replace(/\s/g, ''))
})

test('writes what changed, moved or is new as JSON does', () => {
  const value = {
    ...(parsePythonJson(original) as Record<string, unknown>),
    cap: 31,
    added: 5,
    deep: { theta: 10000, other: 2.5 },
    limit: [0],
  }
  expect(JSON.parse(formatLikePythonJson(value, original).replace('-Infinity', 'null'))).toMatchObject({
    cap: 31,
    added: 5,
    n: 12,
    limit: [0],
    deep: { theta: 10000, other: 2.5 },
  })
  expect(formatLikePythonJson(value, original)).toContain('"theta": 10000.0,')
})
