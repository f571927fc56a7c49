import { expect, test } from 'vitest'
import { sampleOperations, spread } from './sample.mjs'

test('a sample has each step and the last ones', () => {
  expect(sampleOperations(10, { step: 4, last: 2 })).toEqual([1, 5, 9, 10])
  expect(sampleOperations(3, { step: 1, last: 0 })).toEqual([1, 2, 3])
})

test('numbers are spread from the first to the last', () => {
  expect(spread(10, 4)).toEqual([1, 4, 7, 10])
  expect(spread(3, 100)).toEqual([1, 2, 3])
  expect(spread(1, 4)).toEqual([1])
})
