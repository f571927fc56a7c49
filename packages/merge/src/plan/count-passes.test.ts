import { builtinMethods } from '@mk/methods'
import { expect, test } from 'vitest'
import { differenceCacheBytes } from '../run/task.ts'
import { countPasses } from './count-passes.ts'
import type { Operation, PlannedTensorInput } from './merge-plan.ts'

const input = (shape: readonly number[] = [4, 4]): PlannedTensorInput => ({
  input: 0,
  name: 'w',
  source: { kind: 'file', dtype: 'F32', shape, file: 'f', byteStart: 0 },
})
const passes = async (operation: Operation, shape: readonly number[] = [4, 4], method?: string) =>
  (await countPasses(method === undefined ? undefined : builtinMethods.get(method), { name: 'w', shape, operation }))
    .passes
const slerp: Operation = { kind: 'merge', base: input(), models: [input()], parameters: { t: 0.5 } }

test('what has no elements is not gone through', async () => {
  expect(await passes(slerp, [0, 4], 'slerp')).toBe(0)
  expect(await passes({ kind: 'copy', input: input() }, [0])).toBe(0)
})

test.each<Operation>([
  { kind: 'copy', input: input() },
  { kind: 'rows', inputs: [input()], weights: [] },
  { kind: 'other-factor', of: 'x' },
])('$kind goes through its inputs once', async (operation) => {
  expect(await passes(operation)).toBe(1)
})

test('a mean on the sphere of rows asks for the angle of each first', async () => {
  expect(await passes({ kind: 'slerp-rows', inputs: [input(), input()], weights: [], t: 0.5 })).toBe(2)
})

test.each<[readonly number[], number]>([
  [[4, 4], 2],
  [[16], 2],
  [[2, 2, 4], 2],
  [[2], 2],
  // What one number has for an angle needs no pass.
  [[1], 1],
  [[], 1],
])('a slerp of shape %j has %i passes', async (shape, count) => {
  expect(await passes(slerp, shape, 'slerp')).toBe(count)
})

test('a difference that is too large to be kept is made anew for each pass over it', async () => {
  const rows = differenceCacheBytes / 2 / 4 / 1024
  const factors = (count: number, kind: 'difference' | 'products'): Operation => ({
    kind: 'factors',
    other: 'b',
    inputs: [input([count, 1024])],
    change: kind === 'difference' ? { kind, transposed: false } : { kind, products: [] },
  })
  expect(await passes(factors(rows, 'difference'))).toBe(1)
  expect(await passes(factors(rows + 1, 'difference'))).toBe(8)
  expect(await passes(factors(rows + 1, 'products'))).toBe(1)
})

test('whole matrices show what is computed of them, and nothing else does', async () => {
  const operation: Operation = {
    kind: 'merge',
    base: input(),
    models: [input(), input()],
    parameters: { weight: [1, 1] },
  }
  const of = (shape: readonly number[]) => countPasses(builtinMethods.get('tsv_m'), { name: 'w', shape, operation })
  expect(await of([4, 4])).toHaveProperty('matrices')
  expect(await of([4])).not.toHaveProperty('matrices')
})
