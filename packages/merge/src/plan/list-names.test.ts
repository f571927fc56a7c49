import { expect, test } from 'vitest'
import { listNames, listNumbers } from './list-names.ts'

test('numbers that run on become a range', () => {
  expect(listNumbers([5, 0, 2, 1, 9, 8])).toBe('0–2, 5, 8–9')
})

test.each([
  [['h.0.w', 'h.1.w', 'h.2.w', 'end.w'], 'h.{0–2}.w, end.w'],
  [['h.0.w', 'h.0.b', 'h.1.w', 'h.1.b'], 'h.{0–1}.w, h.{0–1}.b'],
  [['h.0.e.0.w', 'h.0.e.1.w', 'h.1.e.0.w', 'h.1.e.1.w'], 'h.{0–1}.e.{0–1}.w'],
  [['h.0.e.0.w', 'h.0.e.1.w', 'h.1.e.0.w'], 'h.0.e.{0–1}.w, h.1.e.0.w'],
  [['w.0', 'w.1', 'w.3'], 'w.{0–1, 3}'],
  [['0', '1'], '{0–1}'],
  [['w.0', 'w.x', 'w.1.a'], 'w.0, w.x, w.1.a'],
  [['a', 'a'], 'a'],
  [[], ''],
])('%j is written %s', (names, text) => expect(listNames(names)).toBe(text))
