import { expect, it } from 'vitest'
import { z } from 'zod'
import * as mini from 'zod/mini'
import { flag } from '../declare/parameter-schemas.ts'
import { expectationOf, wordsOf } from './expectation.ts'

function expectation(schema: z.core.$ZodType, value: unknown): string {
  const result = mini.safeParse(schema, value)
  if (result.success) throw new Error('the value is right')
  return expectationOf(schema, result.error)
}

it.each([
  [z.number(), 'x', 'a number'],
  [z.number(), Infinity, 'a number'],
  [z.number().min(0).default(1), -1, 'a number of at least 0'],
  [z.number().positive(), 0, 'a number of more than 0'],
  [z.number().min(0).max(1), 2, 'a number of at least 0 and at most 1'],
  [z.number().gt(0).lt(1), 2, 'a number of more than 0 and less than 1'],
  [z.int().min(0), 0.5, 'a whole number of at least 0'],
  [z.int(), 0.5, 'a whole number'],
  [z.int().multipleOf(4), 3, 'a whole number, a multiple of 4'],
  [z.boolean(), 1, 'true or false'],
  [flag(true, ''), 0.5, 'true or false'],
  [z.enum(['sum', 'count']), 'vote', 'sum or count'],
  [z.enum(['a', 'b', 'c']), 'd', 'a, b or c'],
  [z.literal('x'), 'y', 'x'],
  [z.union([z.number(), z.boolean()]), 'x', 'a number or true or false'],
  [z.union([z.number(), z.boolean(), z.string()]), [], 'a number, true or false or a text'],
  [z.union([z.number(), z.null()]), 'x', 'a number or null'],
  [z.null(), 1, 'null'],
  [z.string(), 1, 'a text'],
  [z.array(z.number()), 1, 'a list'],
  [z.object({}), 1, 'a mapping'],
  [mini._default(mini.int().check(mini.minimum(1)), 2), 0, 'a whole number of at least 1'],
])('%# says what is expected, in no words of zod', (schema, value, words) => {
  expect(expectation(schema, value)).toBe(words)
})

it('says what stands in a configuration, where that is converted', () => {
  expect(wordsOf(z.union([z.string().transform(Number), z.boolean()]))).toBe('a text or true or false')
  expect(wordsOf(z.literal([1, 'a']).transform(String))).toBe('1 or a')
  expect(wordsOf(z.string().transform(Number))).toBe('a text')
})

it('has no words where one of several types has none', () => {
  expect(wordsOf(z.union([z.number(), z.custom<Date>((value) => value instanceof Date)]))).toBeUndefined()
  expect(wordsOf(z.union([z.number(), z.boolean()]))).toBe('a number or true or false')
})

it("adds what the type's own refinements say", () => {
  const even = z.int().refine((n) => n % 2 === 0, 'an even one')
  expect(expectation(even, 3)).toBe('a whole number; an even one')
  const quiet = z.int().refine((n) => n % 2 === 0)
  expect(expectation(quiet, 3)).toBe('a whole number')
  const small = mini.int().check(mini.refine((n) => n < 9, 'one of a digit'))
  expect(expectation(small, 10)).toBe('a whole number; one of a digit')
})

it('says of a type without a description what its refinements say, or nothing', () => {
  expect(
    expectation(
      z.custom<Date>((value) => value instanceof Date, 'a date'),
      1,
    ),
  ).toBe('a date')
  expect(
    expectation(
      z.custom<Date>((value) => value instanceof Date),
      1,
    ),
  ).toBe('another value')
})
