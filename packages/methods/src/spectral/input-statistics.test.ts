import { expect, it } from 'vitest'
import { scaleStatistics, sumMatrices } from './input-statistics.ts'

const matrix = (...values: number[]) => {
  const size = Math.sqrt(values.length)
  return { rows: size, columns: size, values: Float64Array.from(values) }
}
const plain = { weight: 1, alpha: 1, damping: 0 }

it('scales all by the weight, what is off the diagonal by alpha, and adds a share of the mean to the diagonal', () => {
  const { values, problem } = scaleStatistics(matrix(2, 1, 3, 1, 4, 0.5, 3, 0.5, 6), {
    weight: 3,
    alpha: 0.5,
    damping: 0.25,
  })
  expect(problem).toBeUndefined()
  expect([...values.values]).toEqual([9, 1.5, 4.5, 1.5, 15, 0.75, 4.5, 0.75, 21])
  expect([values.rows, values.columns]).toEqual([3, 3])
})

it('takes the mean of elements that face each other, and leaves what it is given', () => {
  const given = matrix(100, 1, 1.5, 50)
  expect([...scaleStatistics(given, plain).values.values]).toEqual([100, 1.25, 1.25, 50])
  expect([...given.values]).toEqual([100, 1, 1.5, 50])
})

it.each([
  ['not finite', [1, 0, 0, Infinity]],
  ['not finite', [1, Number.NaN, 0, 1]],
  ['a negative diagonal', [1, 0, 0, -1e-9]],
  ['not symmetric', [100, 0, 1.01, 50]],
  ['not symmetric', [50, 1.01, 0, 100]],
  [undefined, [100, 0, 1, 50]],
  [undefined, [50, 1, 0, 100]],
  [undefined, [0, 0, 0, 0]],
  [undefined, [4]],
])('%s: %j', (problem, values) => {
  expect(scaleStatistics(matrix(...values), plain).problem).toBe(problem)
})

it('adds in place', () => {
  const into = matrix(1, 2, 3, 4)
  sumMatrices(into, matrix(10, 20, 30, 40))
  expect([...into.values]).toEqual([11, 22, 33, 44])
})
