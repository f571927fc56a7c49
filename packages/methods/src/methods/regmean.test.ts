import { readFileSync } from 'node:fs'
import { createMatrix, multiply, qr, transpose } from '@mk/linalg'
import { expect, test } from 'vitest'
import { noise } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'

interface Case {
  readonly name: string
  readonly models: number[][][]
  readonly statistics: number[][][]
  readonly weights: number[]
  readonly alpha: number
  readonly damping: number
  readonly merged: number[][]
}

/** What numpy makes of some matrices (make-regmean.py). */
const cases = JSON.parse(
  readFileSync(new URL('../spectral/__fixtures__/regmean.json', import.meta.url), 'utf8'),
) as readonly Case[]

const flat = (rows: readonly (readonly number[])[]) => Float32Array.from(rows.flat())

test.each(cases.map((each) => [each.name, each] as const))('gives what numpy gives: %s', async (_, each) => {
  const { models, statistics, weights: weight, alpha, damping, merged } = each
  const found = await mergeArrays('regmean', {
    models: models.map(flat),
    shape: [merged.length, merged[0]!.length],
    parameters: { statistics: statistics.map(flat), weight, alpha, damping },
  })
  const expected = flat(merged)
  const most = Math.max(...expected.map(Math.abs))
  for (const [i, value] of found.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(1e-4 * most)
})

const shape = [3, 4]
const models = [1, 2, 3].map((seed) => noise(12, seed))
const square = (value: (row: number, column: number) => number) =>
  Float32Array.from({ length: 16 }, (_, i) => value(Math.floor(i / 4), i % 4))
const identity = square((row, column) => Number(row === column))

test('equal statistics give the average, and none of a model leaves it out', async () => {
  const merged = await mergeArrays('regmean', { models, shape, parameters: { statistics: identity } })
  for (const [i, value] of merged.entries())
    expect(value).toBeCloseTo(models.reduce((sum, each) => sum + each[i]!, 0) / 3, 6)
  const statistics = [identity, square(() => 0), square(() => 0)]
  const ofFirst = await mergeArrays('regmean', { models, shape, parameters: { statistics } })
  expect([...ofFirst]).toEqual([...models[0]!])
})

test('columns go by the model whose inputs have them', async () => {
  const half = (from: number) => square((row, column) => Number(row === column && row >= from && row < from + 2))
  const statistics = [half(0), half(2)]
  const parameters = { statistics, damping: 0 }
  const merged = await mergeArrays('regmean', { models: models.slice(0, 2), shape, parameters })
  merged.forEach((value, i) => expect(value).toBeCloseTo(models[i % 4 < 2 ? 0 : 1]![i]!, 6))
})

test('turns with the basis of outputs, and with that of inputs where their covariances are taken whole', async () => {
  const sizes = [6, 4] as const
  const matrix = (rows: number, columns: number, seed: number) =>
    createMatrix(rows, columns, Float64Array.from(noise(rows * columns, seed)))
  const [left, right] = [qr(matrix(6, 6, 11)).q, qr(matrix(4, 4, 12)).q]
  const weights = [1, 2].map((seed) => matrix(...sizes, seed))
  const grams = [3, 4].map((seed) => multiply(transpose(matrix(9, 4, seed)), matrix(9, 4, seed)))
  const merge = (own: typeof weights, statistics: typeof grams) =>
    mergeArrays('regmean', {
      models: own.map(({ values }) => Float32Array.from(values)),
      shape: sizes,
      parameters: { statistics: statistics.map(({ values }) => Float32Array.from(values)), alpha: 1 },
    })
  const turn = (each: (typeof weights)[0]) => multiply(multiply(left, each), right)
  const merged = createMatrix(...sizes, Float64Array.from(await merge(weights, grams)))
  const turned = await merge(
    weights.map(turn),
    grams.map((each) => multiply(multiply(transpose(right), each), right)),
  )
  turn(merged).values.forEach((value, i) => expect(Math.abs(turned[i]! - value)).toBeLessThan(1e-5))
})

test('layers that are stored as inputs × outputs give the same turned', async () => {
  const turned = (values: ArrayLike<number>, [rows, columns]: readonly number[]) =>
    Float32Array.from({ length: rows! * columns! }, (_, i) => values[(i % rows!) * columns! + Math.floor(i / rows!)]!)
  for (const own of [shape, [4, 4]]) {
    const given = [1, 2, 3].map((seed) => noise(own[0]! * 4, seed))
    const statistics = [5, 6, 7].map((seed) =>
      square((row, column) => Math.cos(seed * row * column) + 5 * Number(row === column)),
    )
    const merged = await mergeArrays('regmean', { models: given, shape: own, parameters: { statistics } })
    const found = await mergeArrays('regmean', {
      models: given.map((each) => turned(each, own)),
      shape: own.toReversed(),
      parameters: { statistics },
      inputSide: 'rows',
    })
    found.forEach((value, i) => expect(value).toBeCloseTo(turned(merged, own)[i]!, 6))
  }
  const wrong = mergeArrays('regmean', { models, shape, parameters: { statistics: identity }, inputSide: 'rows' })
  await expect(wrong).rejects.toMatchObject({ code: 'wrong-length', issue: { expected: 9 } })
})

test('one model, and equal ones, stay as they are', async () => {
  const [model] = models
  const statistics = [square((row, column) => (row === column ? row + 1 : 0.3)), identity]
  for (const equal of [[model!], [model!, model!]])
    expect(
      await mergeArrays('regmean', {
        models: equal,
        shape,
        parameters: { statistics: statistics.slice(0, equal.length) },
      }),
    ).toEqual(model)
})

test('what is no matrix is averaged by weight', async () => {
  const merged = await mergeArrays('regmean', {
    models: [Float32Array.of(1, 2), Float32Array.of(3, 6)],
    parameters: { statistics: Float32Array.of(1, 0, 0, 1), weight: [3, 1] },
  })
  expect([...merged]).toEqual([1.5, 3])
})

test.each([
  ['not finite', square((row) => (row === 2 ? Number.NaN : 1)), 'statistics-invalid', { model: 1, name: 'model 2' }],
  ['negative', square((row, column) => (row === column ? -1 : 0)), 'statistics-invalid', {}],
  ['not symmetric', square((row, column) => Number(row >= column)), 'statistics-invalid', { problem: 'not symmetric' }],
  ['of another size', new Float32Array(9), 'wrong-length', { input: 'statistics of model 2', expected: 16 }],
])('refuses statistics that are %s', async (_, wrong, code, issue) => {
  const parameters = { statistics: [identity, wrong] }
  const merging = mergeArrays('regmean', { models: models.slice(0, 2), shape, parameters })
  await expect(merging).rejects.toMatchObject({ code, issue })
})

test('says that statistics of too little data need damping', async () => {
  const parameters = { statistics: square(() => 1), alpha: 1, damping: 0 }
  const merging = mergeArrays('regmean', { models, shape, parameters })
  await expect(merging).rejects.toMatchObject({ code: 'statistics-singular' })
  await expect(
    mergeArrays('regmean', { models, shape, parameters: { ...parameters, damping: 1e-3 } }),
  ).resolves.toHaveLength(12)
})

test('weighs a matrix of one element by its statistics, too', async () => {
  const models = [Float32Array.of(1), Float32Array.of(3)]
  const statistics = models
  const merged = await mergeArrays('regmean', { models, shape: [1, 1], parameters: { statistics } })
  expect(merged[0]).toBeCloseTo((1 * 1 + 3 * 3) / (1 + 3), 5)
})
