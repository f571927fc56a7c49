import { expect, test } from 'vitest'
import type { PlannedTensor } from '../plan/merge-plan.ts'
import { checkFactors, checkPairs } from './check-factors.ts'

type Shape = readonly number[]

const input = (shape: Shape) => ({
  input: 0,
  name: 'w',
  source: { kind: 'file', file: '/w', dtype: 'F32', shape, byteStart: 0 } as const,
})
const problemOf = (change: object, inputs: readonly Shape[], shape: Shape = [2, 4]) =>
  checkFactors(
    { kind: 'factors', other: 'b', inputs: inputs.map(input), change } as Parameters<typeof checkFactors>[0],
    shape,
  )

const difference = { kind: 'difference', transposed: false }
const vectors = { kind: 'task-vectors', transposed: false, modelCount: 2, hasBase: true, isMoved: false }
const moved = { ...vectors, isMoved: true }
const product = { scale: 1, model: 0 }
const products = { kind: 'products', products: [product, product] }
const knots = { kind: 'knots', products: [product, { ...product, model: 1 }], modelInputs: [0, 1] }
const [whole, other]: readonly [Shape, Shape] = [
  [6, 4],
  [4, 6],
]

test.each<[string, object, readonly Shape[]]>([
  ['a difference', difference, [whole, whole]],
  ['a difference to nothing', difference, [whole]],
  ['a transposed difference', { ...difference, transposed: true }, [other, other]],
  ['task vectors', vectors, [whole, whole, whole]],
  ['task vectors over another base', moved, [whole, whole, whole, whole]],
  [
    'task vectors with a matrix of a file for each',
    { ...vectors, files: ['m'] },
    [whole, whole, whole, [4, 4], [4, 4]],
  ],
  [
    'task vectors with matrices of the side of rows',
    { ...vectors, files: ['m'], inputSide: 'rows' },
    [whole, whole, whole, [6, 6], [6, 6]],
  ],
  [
    'products',
    products,
    [
      [3, 4],
      [6, 3],
      [2, 4],
      [6, 2],
    ],
  ],
  [
    'products of models',
    knots,
    [
      [3, 4],
      [6, 3],
      [2, 4],
      [6, 2],
    ],
  ],
])('%s give the factor A of a module', (_, change, inputs) => {
  expect(problemOf(change, inputs)).toBeUndefined()
})

test.each<[string, object, readonly Shape[]]>([
  ['factors of what is no matrix', difference, [whole, [4]]],
  ['a difference of another size', difference, [other, other]],
  ['a difference of another size', difference, [whole, [5, 4]]],
  ['a difference of another size', difference, [whole, whole, whole]],
  ['a difference of another size', { ...difference, transposed: true }, [whole, whole]],
  ['task vectors of other sizes', vectors, [whole, whole, [5, 4]]],
  ['task vectors of other sizes', vectors, [other, other, other]],
  ['task vectors of other sizes', vectors, [whole, whole]],
  ['task vectors of other sizes', moved, [whole, whole, whole]],
  ['task vectors of other sizes', { ...moved, hasBase: false }, [whole, whole, whole]],
  ['task vectors of other sizes', { ...vectors, files: ['m'] }, [whole, whole, whole, [4, 4]]],
  ['task vectors of other sizes', { ...vectors, files: ['m'] }, [whole, whole, whole, [4, 4], [6, 6]]],
  ['task vectors of other sizes', { ...vectors, files: ['m'] }, [whole, whole, whole, [4, 4], [4, 6]]],
  [
    'products of other sizes',
    products,
    [
      [3, 4],
      [6, 3],
      [2, 4],
      [5, 2],
    ],
  ],
  [
    'products of other sizes',
    products,
    [
      [3, 4],
      [6, 2],
      [2, 4],
      [6, 2],
    ],
  ],
  [
    'products of other sizes',
    products,
    [
      [3, 5],
      [6, 3],
      [2, 4],
      [6, 2],
    ],
  ],
  [
    'products of other sizes',
    products,
    [
      [3, 4],
      [6, 3],
    ],
  ],
  [
    'products of other sizes',
    products,
    [
      [3, 4],
      [6, 3],
      [2, 4],
      [6, 2],
      [2, 4],
    ],
  ],
  [
    'products of models that are not merged',
    { ...knots, modelInputs: [0] },
    [
      [3, 4],
      [6, 3],
      [2, 4],
      [6, 2],
    ],
  ],
])('%s do not', (problem, change, inputs) => {
  expect(problemOf(change, inputs)).toBe(problem)
})

test('a factor that is no matrix is none', () => {
  expect(problemOf(difference, [whole], [4])).toBe('a factor that is no matrix')
})

test('the two factors of a module lie side by side', () => {
  const factors = { kind: 'factors', other: 'b', inputs: [input(whole)], change: difference } as const
  const a = { name: 'a', dtype: 'F32', shape: [2, 4], operation: factors }
  const b = { name: 'b', dtype: 'F32', shape: [6, 2], operation: { kind: 'other-factor', of: 'a' } }
  const problem = (...tensors: readonly object[]) => checkPairs(tensors as PlannedTensor[])
  const copy = { name: 'c', dtype: 'F32', shape: [1], operation: { kind: 'copy', input: input([1]) } }
  expect(problem(copy, a, b, copy)).toBeUndefined()
  const behind = { problem: 'a factor without the other one behind it', at: 1 }
  expect(problem(copy, a)).toEqual(behind)
  for (const more of [
    { name: 'x' },
    { dtype: 'F16' },
    { shape: [6, 3] },
    { shape: [5, 2] },
    { shape: [6, 2, 1] },
    { operation: { kind: 'other-factor', of: 'x' } },
    { operation: copy.operation },
  ])
    expect(problem(copy, a, { ...b, ...more })).toEqual(behind)
  const transposed = { ...a, operation: { ...factors, change: { ...difference, transposed: true } } }
  expect(problem(copy, transposed, b)).toEqual(behind)
  expect(problem(copy, transposed, { ...b, shape: [4, 2] })).toBeUndefined()
  const before = { problem: 'a factor without the other one before it' }
  expect(problem(b)).toEqual({ ...before, at: 0 })
  expect(problem(a, b, b)).toEqual({ ...before, at: 2 })
})
