import fc from 'fast-check'
import { expect, it } from 'vitest'
import { gradientAt, layerDepth } from './gradient.ts'

const number = fc.double({ min: -1e6, max: 1e6, noNaN: true })
const gradient = fc.array(number, { minLength: 1, maxLength: 8 })
const position = fc.double({ min: 0, max: 1, noNaN: true })

it.each([
  [[0, 0.5, 0.3, 0.7, 1], 0, 0],
  [[0, 0.5, 0.3, 0.7, 1], 0.25, 0.5],
  [[0, 0.5, 0.3, 0.7, 1], 0.375, 0.4],
  [[0, 0.5, 0.3, 0.7, 1], 0.9, 0.88],
  [[0, 0.5, 0.3, 0.7, 1], 1, 1],
  [[1, 0.7, 0.1], 1 / 3, 0.8],
  [[1, 0.7, 0.1], 2 / 3, 0.5],
  [[0.1, 0.6], 0.5, 0.35],
  [[0.3], 0.7, 0.3],
])('the gradient %j at depth %f is %f', (values, depth, expected) => {
  expect(gradientAt(values, depth)).toBeCloseTo(expected, 12)
})

it('a gradient begins and ends with its first and last value, exactly', () => {
  fc.assert(
    fc.property(gradient, (values) => {
      expect(gradientAt(values, 0) + 0).toBe(values[0]! + 0)
      expect(gradientAt(values, 1) + 0).toBe(values.at(-1)! + 0)
    }),
  )
})

it('passes through every value, at equal distances', () => {
  fc.assert(
    fc.property(
      gradient.filter((values) => values.length > 1),
      (values) => {
        for (const [i, value] of values.entries())
          expect(Math.abs(gradientAt(values, i / (values.length - 1)) - value)).toBeLessThan(1e-8)
      },
    ),
  )
})

it('stays between its neighbors, so a rising gradient never falls', () => {
  fc.assert(
    fc.property(gradient, position, position, (values, a, b) => {
      const rising = values.toSorted((x, y) => x - y)
      const [low, high] = [Math.min(a, b), Math.max(a, b)]
      expect(gradientAt(rising, high)).toBeGreaterThanOrEqual(gradientAt(rising, low) - 1e-9)
    }),
  )
})

it('equal values give that value everywhere, exactly', () => {
  fc.assert(
    fc.property(number, fc.integer({ min: 1, max: 8 }), position, (value, count, depth) => {
      expect(
        gradientAt(
          Array.from({ length: count }, () => value),
          depth,
        ),
      ).toBe(value + 0)
    }),
  )
})

it.each([
  [[], 0.5],
  [[1], -0.1],
  [[1], 1.1],
  [[1], NaN],
])('rejects %j at %f', (values, depth) => {
  expect(() => gradientAt(values, depth)).toThrow(RangeError)
})

it.each([
  [0, 4, 0],
  [1, 4, 1 / 3],
  [3, 4, 1],
  [0, 2, 0],
  [1, 2, 1],
  [0, 1, 1],
])('layer %i of %i is at depth %f', (index, count, depth) => {
  expect(layerDepth(index, count)).toBe(depth)
})

it.each([
  [-1, 4],
  [4, 4],
  [0, 0],
  [0.5, 4],
  [0, NaN],
])('layer %f of %f does not exist', (index, count) => {
  expect(() => layerDepth(index, count)).toThrow(RangeError)
})

it('every layer has a position from 0 to 1, in order', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 200 }), (count) => {
      const positions = Array.from({ length: count }, (_, i) => layerDepth(i, count))
      expect(positions).toEqual(positions.toSorted((a, b) => a - b))
      expect([positions[0], positions.at(-1)]).toEqual([0, 1])
    }),
  )
})
