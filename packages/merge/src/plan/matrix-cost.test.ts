import type { LinalgJob } from '@mk/linalg'
import type { MethodContext } from '@mk/methods'
import { input, times } from '@mk/tensor'
import { describe, expect, test } from 'vitest'
import { matrixCost, recordMatrixWork } from './matrix-cost.ts'

const size = 8
const matrix = (rows: number, columns: number) => ({ rows, columns, values: new Float64Array(rows * columns) })

async function recorded(job: LinalgJob, elements: number) {
  const work = recordMatrixWork(size)
  await work.linalg(() => Promise.resolve([new Float64Array(elements)]))(job)
  return work.finish(input(0))
}

describe('the work on matrices in memory', () => {
  test.each([
    ['symmetricEigen', 5e-10],
    ['svd', 2.5e-9],
    ['effectiveRank', 5e-10],
    ['solvePositive', 1.5e-9],
    ['polarFactor', 6e-9],
  ] as const)('%s goes by the smaller side twice and the larger once', async (kind, seconds) => {
    const job = { kind, matrix: matrix(4, 16) } as unknown as LinalgJob
    const { secondsPerCube, squares, products } = await recorded(job, 32)
    expect(secondsPerCube).toBeCloseTo((seconds * 4 * 16 * 4) / size ** 3, 20)
    expect(squares).toBe(32 / size ** 2)
    expect(products).toBe(0)
    const tall = { kind, matrix: matrix(16, 4) } as unknown as LinalgJob
    expect((await recorded(tall, 32)).secondsPerCube).toBeCloseTo((seconds * 4 * 4 * 16) / size ** 3, 20)
  })

  test.each([
    [false, 6],
    [true, 4],
  ])('a product counts its additions, left transposed: %s', async (leftTransposed, depth) => {
    const job: LinalgJob = { kind: 'multiply', left: matrix(4, 6), right: matrix(6, 2), leftTransposed }
    const { secondsPerCube, squares } = await recorded(job, 10)
    expect(secondsPerCube).toBeCloseTo((2 * depth * 10) / size ** 3 / 1e10, 25)
    expect(squares).toBe((10 + (24 + 12) / 2) / size ** 2)
  })
})

test('products of lines count once each, half where they are a matrix’ own', async () => {
  const work = recordMatrixWork(size)
  const made = { rows: 3, columns: 1, values: new Float64Array(3) }
  const context = work.context({ products: () => Promise.resolve({ a: made, b: made }) } as unknown as MethodContext)
  const [x, y] = [input(0), input(1)]
  const turned = times(x, matrix(8, 8))
  expect(
    await context.products({ a: { left: x, right: x, on: 'columns' }, b: { left: x, right: y, on: 'columns' } }),
  ).toEqual({ a: made, b: made })
  expect(work.finish(input(0))).toEqual({ products: 1.5, secondsPerCube: 0, squares: 6 / size ** 2 })
  await context.products({ a: { left: turned, right: turned, on: 'columns' } })
  expect(work.finish(turned).products).toBe(1.5 + 1 + 0.5 + 1)
})

test('scales to the size of the matrices', () => {
  const work = { products: 3, secondsPerCube: 2e-9, squares: 5 }
  expect(matrixCost(work, 100, 2000)).toEqual({ seconds: (2 * 3 * 2000 * 100) / 1e10 + 2e-9 * 1e6, bytes: 8 * 5 * 1e4 })
})
