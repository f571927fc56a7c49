import { expect, it } from 'vitest'
import { formatTable } from './format-table.ts'

const columns = [{ title: 'layers' }, { title: 'size', align: 'right', dropOrder: 1 }, { title: 'what' }] as const
const rows = [
  ['0 to 3', '1 kB', 'one two three four five six seven'],
  ['–', '12 MB', 'eight'],
]

it('lays out columns', () => {
  expect(formatTable(columns, rows, undefined)).toEqual([
    'layers   size  what',
    '0 to 3   1 kB  one two three four five six seven',
    '–       12 MB  eight',
  ])
})

it('wraps the last column in what is left of the width', () => {
  expect(formatTable(columns, rows, 36)).toEqual([
    'layers   size  what',
    '0 to 3   1 kB  one two three four',
    '               five six seven',
    '–       12 MB  eight',
  ])
})

it('leaves out what can be spared, and then puts the last column below', () => {
  expect(formatTable(columns, rows, 30)).toEqual([
    'layers  what',
    '0 to 3  one two three four',
    '        five six seven',
    '–       eight',
  ])
  expect(formatTable(columns, rows, 24)).toEqual([
    'layers',
    '0 to 3',
    '    one two three four',
    '    five six seven',
    '–',
    '    eight',
  ])
})
