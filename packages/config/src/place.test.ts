import { expect, it } from 'vitest'
import { comparePositions, formatPath, formatPlace } from './place.ts'

it('places come in the order of the text or the object, what has none before all others', () => {
  const at = (line: number, column: number) => ({ line, column })
  expect(comparePositions(at(1, 9), at(2, 1))).toBeLessThan(0)
  expect(comparePositions(at(2, 1), at(1, 9))).toBeGreaterThan(0)
  expect(comparePositions(at(1, 2), at(1, 3))).toBeLessThan(0)
  expect(comparePositions(at(1, 2), at(1, 2))).toBe(0)
  expect(comparePositions(undefined, at(1, 1))).toBeLessThan(0)
  expect(comparePositions(undefined, { path: [], order: 0 })).toBe(0)
  expect(comparePositions({ path: ['a'], order: 1 }, { path: ['b'], order: 2 })).toBeLessThan(0)
})

it('places and paths are written as people look for them', () => {
  expect(formatPlace(undefined, undefined)).toBe('config')
  expect(formatPlace('r.yml', { line: 2, column: 5 })).toBe('r.yml:2:5')
  expect(formatPath([])).toBe('the config')
  expect(formatPath(['models', 0, 'parameters', 'a-b'])).toBe('models[0].parameters.a-b')
  expect(formatPath(['modules', 'a b', 'x.y'])).toBe('modules["a b"]["x.y"]')
})
