import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { isMutated } from './areas.mjs'
import { orderMutants } from './sample.mjs'

const root = mkdtempSync(join(tmpdir(), 'mk-sample-'))
afterEach(() => rmSync(root, { recursive: true, force: true }))

const area = { name: 'p', folders: ['packages/p/src'], packages: ['p'] }
const numbers = Array.from({ length: 30 }, (_, index) => `export const a${index} = ${index}`)
function orderOf(lines: readonly string[], seed = '1') {
  const file = join(root, 'packages/p/src/a.ts')
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, lines.join('\n'))
  return orderMutants(root, area, seed).map(({ before }) => before)
}

test('an order follows from the seed and leaves nothing out', () => {
  expect(orderOf(numbers)).toEqual(orderOf(numbers))
  expect(orderOf(numbers)).not.toEqual(orderOf(numbers, '2'))
  expect(orderOf(numbers)).not.toEqual(numbers)
  expect(orderOf(numbers).toSorted()).toEqual(numbers.toSorted())
})

test('a line that is changed or added moves no other mutant', () => {
  const before = orderOf(numbers)
  const after = orderOf(['export const more = 1', ...numbers.with(7, 'export const a7 = 70')])
  expect(after.filter((line) => !/more|a7 /.test(line))).toEqual(before.filter((line) => !line.includes('a7 ')))
})

test('equal lines of a file are mutants of their own, by the place that they have in it', () => {
  mkdirSync(join(root, 'packages/p/src'), { recursive: true })
  writeFileSync(join(root, 'packages/p/src/a.ts'), 'f()\nf()\n')
  const places = orderMutants(root, area, '1')
  expect(places.map(({ line }) => line).toSorted()).toEqual([1, 2])
  expect(new Set(places.map(({ id }) => id)).size).toBe(2)
})

test.each([
  ['packages/tensor/src/stages/reduce.ts', true],
  ['packages/tensor/src/stages/reduce.test.ts', false],
  ['packages/tensor/src/conformance/cases.ts', false],
  ['packages/tensor/src/index.ts', false],
  ['packages/merge/src/__fixtures__/models.ts', false],
  ['packages/merge/src/__fixtures__/merge.mjs', false],
])('%s is mutated: %s', (file, expected) => {
  expect(isMutated(file)).toBe(expected)
})
