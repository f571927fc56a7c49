import { expect, test } from 'vitest'
import { createRandom } from './random.mjs'

const draw = (seed: string) => {
  const random = createRandom(seed)
  return Array.from({ length: 1000 }, () => random.below(10))
}

test('the same seed gives the same numbers, another one others', () => {
  expect(draw('a/1/2')).toEqual(draw('a/1/2'))
  expect(draw('a/1/2')).not.toEqual(draw('a/1/3'))
})

test('all numbers come about equally often', () => {
  const counts = new Map<number, number>()
  for (const number of draw('seed')) counts.set(number, (counts.get(number) ?? 0) + 1)
  expect([...counts.keys()].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  for (const count of counts.values()) expect(count).toBeGreaterThan(60)
})
