import { expect, it } from 'vitest'
import { cutText, textWidth, wrapText } from './wrap-text.ts'

it('breaks at spaces, and goes on below the beginning', () => {
  expect(wrapText('  one two three four', 12, '  ')).toBe('  one two\n    three\n    four')
  expect(wrapText('short\none two three', 7)).toBe('short\none two\nthree')
})

it('leaves a word whole that is wider than the line, and everything where there is no width', () => {
  expect(wrapText('see /a/very/long/path now', 8)).toBe('see\n/a/very/long/path\nnow')
  expect(wrapText('one two three', undefined)).toBe('one two three')
})

it('counts columns, not characters', () => {
  expect(['模型', 'e\u0301', '\u001b[31mred\u001b[39m', '🙂'].map(textWidth)).toEqual([4, 1, 3, 2])
  expect(wrapText('模型 模型', 8)).toBe('模型\n模型')
})

it('cuts to a width, with a sign that something is missing', () => {
  expect([cutText('abcdef', 6), cutText('abcdef', 4), cutText('模型模型', 4), cutText('abc', 0)]).toEqual([
    'abcdef',
    'abc…',
    '模…',
    '',
  ])
})
