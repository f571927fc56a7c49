import { add, input } from '@mk/tensor'
import { describe, expect, it } from 'vitest'
import { createMethodContext } from './method-context.ts'

const context = (options = {}) =>
  createMethodContext({ shape: [2, 3], elementCount: 6 } as unknown as Parameters<typeof createMethodContext>[0], {
    tensorName: 'w',
    seed: 1,
    warn: () => {},
    ...options,
  })

it('has one random expression for each model, however often it is asked for', () => {
  const { uniform } = context()
  expect(uniform(0)).toBe(uniform(0))
  expect(uniform(1)).toBe(uniform(1))
  expect(uniform(0)).not.toEqual(uniform(1))
})

it('draws by seed, tensor and model', () => {
  const key = (options: object, model = 0) => JSON.stringify(context(options).uniform(model))
  expect(key({})).toBe(key({}))
  expect(new Set([key({}), key({ seed: 2 }), key({ tensorName: 'v' }), key({}, 1)]).size).toBe(4)
})

it('names models as the caller does, or by their place', () => {
  const names = { base: 'org/base', models: ['org/a'] }
  expect((['base', 0, 1] as const).map((model) => context({ names }).nameOf(model))).toEqual([
    'org/base',
    'org/a',
    'model 2',
  ])
  expect((['base', 0] as const).map((model) => context().nameOf(model))).toEqual(['the base', 'model 1'])
})

it('names the tensor, its layer and its shape', () => {
  const { tensorName, layerDepth, shape, elementCount } = context({ layerDepth: 0.5 })
  expect({ tensorName, layerDepth, shape, elementCount }).toEqual({
    tensorName: 'w',
    layerDepth: 0.5,
    shape: [2, 3],
    elementCount: 6,
  })
  expect(context().layerDepth).toBeUndefined()
})

it('asks the session for what takes passes over the tensor', async () => {
  const asked: unknown[][] = []
  const session = Object.fromEntries(
    ['reduce', 'largest', 'largestShare', 'kthLargest', 'products'].map((name) => [
      name,
      (...given: unknown[]) => asked.push([name, ...given]),
    ]),
  )
  const { reduce, largest, largestShare, kthLargest, products } = createMethodContext(session as never, {
    tensorName: 'w',
    seed: 1,
    warn: () => {},
  }) as unknown as Record<string, (...given: unknown[]) => unknown>
  reduce!('a', 'b')
  largest!('c')
  largestShare!('g', 'h')
  kthLargest!('d', 'e')
  products!('f')
  expect(asked).toEqual([
    ['reduce', 'a', 'b'],
    ['largest', 'c'],
    ['largestShare', 'g', 'h'],
    ['kthLargest', 'd', 'e'],
    ['products', 'f'],
  ])
})

describe('matrices in memory', () => {
  const matrix = (rows: number, columns: number, ...values: number[]) => ({
    rows,
    columns,
    values: Float64Array.from(values),
  })
  const given = matrix(2, 2, 2, 1, 1, 2)
  const close = (values: Float64Array, expected: number[]) =>
    expect([...values].map((value) => Number(value.toFixed(4)) + 0)).toEqual(expected)

  it('are computed with here', async () => {
    const { linalg } = context()
    close((await linalg.symmetricEigen(given)).values, [3, 1])
    close((await linalg.svd(matrix(2, 2, 3, 0, 0, 2))).values, [3, 2])
    close((await linalg.solvePositive(given, matrix(2, 1, 3, 3))).values, [1, 1])
    close((await linalg.multiply(given, matrix(2, 1, 1, 2))).values, [4, 5])
    close((await linalg.multiply(given, matrix(1, 2, 1, 2), { rightTransposed: true })).values, [4, 5])
    const { factor, nuclearNorm } = await linalg.polarFactor(matrix(2, 2, 2, 0, 0, 5))
    close(factor.values, [1, 0, 0, 1])
    expect(nuclearNorm).toBeCloseTo(7)
  })

  it('are computed with by whom the caller names', async () => {
    const jobs: unknown[] = []
    const runLinalg = (job: unknown) => {
      jobs.push(job)
      return Promise.reject(new Error('elsewhere'))
    }
    await expect(context({ runLinalg }).linalg.solvePositive(given, given)).rejects.toThrow('elsewhere')
    expect(jobs).toHaveLength(1)
  })

  it('are read by slot, and only where there are some', async () => {
    const readMatrix = (slot: number) => Promise.resolve(matrix(1, 1, slot))
    expect((await context({ readMatrix }).readMatrix(input(3))).values[0]).toBe(3)
    const message = 'w: no parameter names this matrix; expected one that matricesOfFile declares'
    expect(() => context().readMatrix(input(3))).toThrow(message)
    expect(() => context({ readMatrix }).readMatrix(add(input(0), 1))).toThrow(message)
  })
})
