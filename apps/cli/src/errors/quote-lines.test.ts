import { expect, it } from 'vitest'
import { quoteLine, type QuotedText } from './quote-lines.ts'

const recipe = { file: 'r.yml', text: 'merge_method: tis\nmodels:\n\t- model: a\n' }

const quoteLines = (message: string, quoted: QuotedText, width?: number): string =>
  message
    .split('\n')
    .flatMap((line) => [line, ...quoteLine(line, quoted, width)])
    .join('\n')

it('shows the line of each place, with a caret under the column', () => {
  expect(quoteLines(`r.yml:1:15: no such method\nr.yml:3:2: no tabs`, recipe).split('\n')).toEqual([
    'r.yml:1:15: no such method',
    '  1 | merge_method: tis',
    '    |               ^',
    'r.yml:3:2: no tabs',
    '  3 |  - model: a',
    '    |  ^',
  ])
})

it('leaves lines that name another file, no place, or one that is not there', () => {
  for (const line of ['a.json:1:1: x', 'r.yml: x', 'r.yml:99:1: x', 'and 3 more'])
    expect(quoteLines(line, recipe)).toBe(line)
})

it('shows of a long line what is around the column, and control characters escaped', () => {
  const text = `${'x'.repeat(500)}!${'y'.repeat(500)}`
  const [, line, caret] = quoteLines('r.yml:1:501: here', { file: 'r.yml', text }).split('\n')
  expect(line!.length).toBeLessThan(90)
  expect(line![caret!.indexOf('^')]).toBe('!')
  expect(quoteLines('r.yml:1:3: here', { file: 'r.yml', text: 'a\u001b!' }).split('\n').slice(1)).toEqual([
    '  1 | a\\u001b!',
    '    |        ^',
  ])
})

it('fits the terminal, with the column still in sight', () => {
  const text = `${'x'.repeat(50)}!${'y'.repeat(50)}`
  const [line, caret] = quoteLine('r.yml:1:51: here', { file: 'r.yml', text }, 40)
  expect([line!.length, caret!.length].every((length) => length <= 40)).toBe(true)
  expect(line![caret!.indexOf('^')]).toBe('!')
})
