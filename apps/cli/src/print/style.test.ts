import { expect, it } from 'vitest'
import { describeScreen, hasColor } from './style.ts'

it.each<[boolean, Record<string, string>, boolean]>([
  [true, {}, true],
  [false, {}, false],
  [true, { NO_COLOR: '1' }, false],
  [true, { NO_COLOR: '' }, true],
  [true, { TERM: 'dumb' }, false],
  [false, { FORCE_COLOR: '1' }, true],
  [true, { FORCE_COLOR: '0' }, false],
  [false, { FORCE_COLOR: '3', NO_COLOR: '1' }, true],
])('a terminal (%s) with %j is colored: %s', (isTTY, environment, expected) =>
  expect(hasColor(isTTY, environment)).toBe(expected),
)

it('text is wrapped on terminals alone, to no less than 40 columns', () => {
  expect(describeScreen({ isTTY: true, columns: 12 }, {}).width).toBe(40)
  expect(describeScreen({ isTTY: true, columns: 120 }, {}).width).toBe(120)
  expect(describeScreen({ isTTY: true }, {}).width).toBe(80)
  expect(describeScreen({ columns: 120 }, {}).width).toBeUndefined()
})
