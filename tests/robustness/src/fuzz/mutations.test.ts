import { describe, expect, test } from 'vitest'
import { createRandom } from '../random.mjs'
import { isPythonJson } from './broken-promise.mjs'
import { mutateBytes } from './mutate-bytes.mjs'
import { mutateJson } from './mutate-json.mjs'
import { mutateText } from './mutate-text.mjs'

const seeds = Array.from({ length: 300 }, (_, index) => `${index}`)
const value = Object.freeze({ a: Object.freeze([1, 2, { b: 'x' }]), c: null })

test('a mutated value is JSON, mostly another, and the original is as it was', () => {
  const mutants = seeds.map((seed) => JSON.stringify(mutateJson(createRandom(seed), value)))
  expect(mutants.filter((text) => text !== JSON.stringify(value)).length).toBeGreaterThan(200)
  expect(value).toEqual({ a: [1, 2, { b: 'x' }], c: null })
})

test('keys may be called __proto__', () => {
  const mutants = seeds.map((seed) => JSON.stringify(mutateJson(createRandom(seed), value)))
  expect(mutants.some((text) => text?.includes('"__proto__":'))).toBe(true)
})

test('mutated texts and bytes are mostly others, and bytes are not changed in place', () => {
  const bytes = Buffer.from('0123456789'.repeat(10))
  const texts = seeds.map((seed) => mutateText(createRandom(seed), 'a: 1\nb: [2, 3]\n'))
  const blobs = seeds.map((seed) => mutateBytes(createRandom(seed), bytes).toString('latin1'))
  expect(new Set(texts).size).toBeGreaterThan(200)
  expect(new Set(blobs).size).toBeGreaterThan(200)
  expect(bytes.toString()).toBe('0123456789'.repeat(10))
})

describe('JSON as Python writes it', () => {
  test.each(['{"a": NaN, "b": -Infinity}', '{"NaN": "Infinity"}', '[1.0, 1e-05]'])('is %s', (text) => {
    expect(isPythonJson(text)).toBe(true)
  })
  test.each(['{"a": oops}', '{"a": }', '', '{"a": NaNs}'])('is not %s', (text) => {
    expect(isPythonJson(text)).toBe(false)
  })
})
