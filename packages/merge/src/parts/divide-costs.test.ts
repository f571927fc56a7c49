import { expect, test } from 'vitest'
import { type CostUnit, divideCosts } from './divide-costs.ts'

const whole = (...costs: number[]): CostUnit[] => costs.map((cost) => ({ cost, isShared: false }))
const partsOf = (ends: readonly number[]) => ends.slice(1).map((end, index) => end - ends[index]!)

/** The least that the most costly of `of` parts can cost, by trying all divisions. */
function leastMost(costs: readonly number[], of: number): number {
  if (of === 1) return costs.reduce((sum, cost) => sum + cost, 0)
  let best = Infinity
  let first = 0
  for (let length = 0; length <= costs.length; length++) {
    best = Math.min(best, Math.max(first, leastMost(costs.slice(length), of - 1)))
    first += costs[length] ?? 0
  }
  return best
}

test('the most costly part costs as little as any division allows, and parts end between units', () => {
  let state = 7
  const random = (below: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % below
  for (let round = 0; round < 60; round++) {
    const costs = Array.from({ length: 1 + random(8) }, () => random(50))
    const of = 1 + random(4)
    const ends = divideCosts(whole(...costs), of)
    const sums = [0]
    for (const cost of costs) sums.push(sums.at(-1)! + cost)
    for (const end of ends) expect(sums).toContain(end)
    expect(Math.max(...partsOf(ends))).toBe(leastMost(costs, of))
  }
})

test('what is shared makes parts equal, and one unit that is larger than a share does not make others larger than need be', () => {
  expect(partsOf(divideCosts([{ cost: 10, isShared: true }], 4))).toEqual([2.5, 2.5, 2.5, 2.5])
  const ends = divideCosts([...whole(30), ...whole(...Array.from({ length: 30 }, () => 1))], 6)
  expect(partsOf(ends)[0]).toBe(30)
  expect(Math.max(...partsOf(ends).slice(1))).toBeLessThanOrEqual(10)
})

test('nothing to do, and more parts than units, give empty parts', () => {
  expect(divideCosts([], 3)).toEqual([0, 0, 0, 0])
  expect(partsOf(divideCosts(whole(4, 4), 5)).filter((cost) => cost > 0)).toEqual([4, 4])
})
