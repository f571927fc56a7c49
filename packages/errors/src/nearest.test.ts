import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nearest } from './nearest.ts'

it.each([
  ['wieght', ['weight', 'density'], 'weight'],
  ['weights', ['density', 'weight'], 'weight'],
  ['Merge-Method', ['merge_method'], 'merge_method'],
  ['parmeters', ['models', 'parameters'], 'parameters'],
  ['T', ['t', 'lambda'], 't'],
  ['task-arithmetic', ['ties', 'task_arithmetic'], 'task_arithmetic'],
  ['slrep', ['slerp', 'nuslerp'], 'slerp'],
])('%s is meant to be one of %j: %s', (word, known, expected) => {
  expect(nearest(word, known)).toBe(expected)
})

it('has no guess where nothing is near', () => {
  expect(nearest('temperature', ['weight', 'density'])).toBeUndefined()
  expect(nearest('weight', [])).toBeUndefined()
})

it('finds a known word itself', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z_]{1,12}$/), { minLength: 1, maxLength: 8 }), (words) => {
      for (const word of words) expect(nearest(word, words)).toBe(word)
    }),
  )
})

it('is not slowed by very long words', () => {
  expect(nearest('x'.repeat(1e6), ['weight'])).toBeUndefined()
})
