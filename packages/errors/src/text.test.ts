import { expect, it } from 'vitest'
import { quoted, shortened } from './index.ts'

it('cuts a long text and says how long it was', () => {
  expect(shortened('a'.repeat(200), 10)).toBe('aaaaaaaaaa… (200 characters)')
  expect(shortened('short', 10)).toBe('short')
})

it('shows control characters and terminal escapes escaped', () => {
  expect(shortened('a\u001b[31mb\nc\u0000\u009b')).toBe('a\\u001b[31mb\\u000ac\\u0000\\u009b')
})

it('quotes values of every kind', () => {
  expect(quoted('x')).toBe("'x'")
  expect(quoted([1, 'a'])).toBe('[1,"a"]')
  expect(quoted(undefined)).toBe('undefined')
  expect(quoted(1n)).toBe('1')
  expect(quoted(Infinity)).toBe('Infinity')
  expect(quoted('b'.repeat(300)).length).toBeLessThan(150)
})
