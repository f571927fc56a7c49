import { expect, it } from 'vitest'
import { formatNonFinite } from './format-non-finite.ts'

it('names the first tensors and counts the others', () => {
  expect(formatNonFinite(['a: 1 in the result'], false)).toEqual([
    'NaN or infinite values in 1 tensor: a: 1 in the result',
  ])
  expect(formatNonFinite(['a', 'b', 'c'], false)).toEqual(['NaN or infinite values in 3 tensors: a; b; c'])
  expect(formatNonFinite(['a', 'b', 'c', 'd', 'e'], false)).toEqual([
    'NaN or infinite values in 5 tensors: a; b; c; and 2 more (-v lists all, --json has the counts)',
  ])
})

it('has a line for each where all are asked for', () => {
  expect(formatNonFinite(['a', 'b', 'c', 'd'], true)).toEqual([
    'NaN or infinite values in 4 tensors:',
    'a',
    'b',
    'c',
    'd',
  ])
})
