import { readFileSync } from 'node:fs'
import { createWasmRuntime } from '@mk/runtime-wasm'
import { type Matrix, multiply, qr, svd, transpose } from '@mk/linalg'
import { createReferenceRuntime } from '@mk/tensor/runtime'
import { afterAll, describe, expect, it } from 'vitest'
import { noise } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'

type Method = 'iso_c' | 'tsv_m' | 'ace'
const methods = ['iso_c', 'tsv_m', 'ace'] satisfies Method[]

interface Case extends Readonly<Record<Method, number[][]>> {
  readonly name: string
  readonly base: number[][]
  readonly models: number[][][]
}

/** What numpy makes of some matrices (make-spectral.py). */
const cases = JSON.parse(
  readFileSync(new URL('./__fixtures__/spectral.json', import.meta.url), 'utf8'),
) as readonly Case[]

const runtime = createWasmRuntime()
afterAll(() => runtime.close())

const merge = (method: Method, base: Matrix, models: readonly Matrix[], parameters = {}): Promise<Matrix> =>
  mergeArrays(
    method,
    {
      base: Float32Array.from(base.values),
      models: models.map(({ values }) => Float32Array.from(values)),
      shape: [base.rows, base.columns],
      parameters,
    },
    runtime,
  ).then((values) => ({ ...base, values: Float64Array.from(values) }))

const matrixOf = (rows: readonly (readonly number[])[]): Matrix => ({
  rows: rows.length,
  columns: rows[0]!.length,
  values: Float64Array.from(rows.flat()),
})
const random = (rows: number, columns: number, seed: number, scale = 1): Matrix => ({
  rows,
  columns,
  values: Float64Array.from(noise(rows * columns, seed, scale)),
})
const plus = (a: Matrix, b: Matrix, factor = 1): Matrix => ({
  ...a,
  values: a.values.map((value, i) => value + factor * b.values[i]!),
})
const norm = ({ values }: Matrix) => Math.hypot(...values)
/** The distance as a share of what was changed. */
const error = (found: Matrix, expected: Matrix, base: Matrix) =>
  norm(plus(found, expected, -1)) / norm(plus(expected, base, -1))
const changeOf = (merged: Matrix, base: Matrix) => plus(merged, base, -1)

describe.each(methods)('%s', (method) => {
  it.each(cases.map((each) => [each.name, each] as const))('gives what numpy gives: %s', async (_, each) => {
    const base = matrixOf(each.base)
    const merged = await merge(method, base, each.models.map(matrixOf))
    expect(error(merged, matrixOf(each[method]), base)).toBeLessThan(1e-4)
  })

  // ACE takes the mean row of the task vectors off, and adds a mean row: turning rows or columns changes those.
  it.skipIf(method === 'ace')('turns with the basis of all models', async () => {
    const [left, right] = [qr(random(20, 20, 7)).q, qr(random(12, 12, 8)).q]
    const turn = (matrix: Matrix) => multiply(multiply(left, matrix), right)
    const base = random(20, 12, 1)
    const models = [2, 3].map((seed) => plus(base, random(20, 12, seed, 0.1)))
    const merged = await merge(method, base, models)
    const turned = await merge(method, turn(base), models.map(turn))
    expect(error(turned, turn(merged), turn(base))).toBeLessThan(1e-4)
  })

  it('turns with a basis in which means stay means', async () => {
    const mirror = (size: number, seed: number): Matrix => {
      const { values } = random(1, size, seed)
      const mean = values.reduce((sum, value) => sum + value, 0) / size
      const vector = { rows: 1, columns: size, values: values.map((value) => value - mean) }
      const outer = multiply(transpose(vector), vector)
      const identity = outer.values.map((_, i) => Number(i % (size + 1) === 0))
      return plus({ ...outer, values: identity }, outer, -2 / norm(vector) ** 2)
    }
    const [left, right] = [mirror(20, 7), mirror(12, 8)]
    const turn = (matrix: Matrix) => multiply(multiply(left, matrix), right)
    const base = random(20, 12, 1)
    const models = [2, 3].map((seed) => plus(base, random(20, 12, seed, 0.1)))
    const merged = await merge(method, base, models)
    const turned = await merge(method, turn(base), models.map(turn))
    expect(error(turned, turn(merged), turn(base))).toBeLessThan(1e-4)
  })

  it.skipIf(method === 'ace')('is the same for a matrix and its transpose', async () => {
    const base = random(30, 12, 1)
    const models = [2, 3, 4].map((seed) => plus(base, random(30, 12, seed, 0.1)))
    const merged = await merge(method, base, models)
    expect(await merge(method, transpose(base), models.map(transpose))).toEqual(transpose(merged))
  })

  it('does not depend on the order of the models', async () => {
    const base = random(9, 14, 1)
    const models = [2, 3, 4].map((seed) => plus(base, random(9, 14, seed, 0.1)))
    const merged = await merge(method, base, models)
    expect(error(await merge(method, base, models.toReversed()), merged, base)).toBeLessThan(1e-4)
  })

  it('gives the base where nothing changed', async () => {
    const base = random(5, 4, 1)
    expect(await merge(method, base, [base, base])).toEqual({ ...base, values: Float64Array.from(base.values) })
  })

  it.each([
    ['a model', (base: Matrix) => [plus(base, random(4, 3, 2)), { ...base, values: base.values.with(3, NaN) }]],
    ['a model', (base: Matrix) => [base, { ...base, values: base.values.with(3, Infinity) }]],
  ])('names %s that is not finite', async (_, modelsOf) => {
    const base = random(4, 3, 1)
    await expect(merge(method, base, modelsOf(base))).rejects.toMatchObject({ code: 'not-finite', issue: { model: 1 } })
  })

  it.each([
    [1, 7],
    [7, 1],
    [1, 1],
    [40, 2],
  ])('merges matrices of %i × %i, and of low rank', async (rows, columns) => {
    const base = random(rows, columns, 1)
    const rankOne = multiply(random(rows, 1, 2), random(1, columns, 3))
    for (const models of [
      [2, 3, 4].map((seed) => plus(base, random(rows, columns, seed))),
      [plus(base, rankOne), base],
    ]) {
      const merged = await merge(method, base, models)
      expect(merged.values.every(Number.isFinite)).toBe(true)
      expect(norm(changeOf(merged, base))).toBeGreaterThan(0)
    }
  })

  it('averages what is no matrix', async () => {
    const merged = await mergeArrays(method, {
      base: Float32Array.of(1, 2, 3),
      models: [Float32Array.of(2, 2, 3), Float32Array.of(3, 2, 1)],
    })
    expect([...merged]).toEqual([2.5, 2, 2])
  })

  it('gives the bytes of the reference on WebAssembly', async () => {
    const base = noise(300 * 24, 1)
    const models = [2, 3].map((seed) => noise(300 * 24, seed, 0.1).map((each, i) => each + base[i]!))
    for (const shape of [
      [300, 24],
      [24, 300],
    ])
      expect(await mergeArrays(method, { base, models, shape }, runtime)).toEqual(
        await mergeArrays(method, { base, models, shape }, createReferenceRuntime()),
      )
  })
})

describe('ace', () => {
  const turnedMerge = (base: Matrix, models: readonly Matrix[]): Promise<Matrix> =>
    mergeArrays(
      'ace',
      {
        base: Float32Array.from(transpose(base).values),
        models: models.map((model) => Float32Array.from(transpose(model).values)),
        shape: [base.columns, base.rows],
        inputSide: 'rows',
      },
      runtime,
    ).then((values) => transpose({ rows: base.columns, columns: base.rows, values: Float64Array.from(values) }))

  it.each(cases.map((each) => [each.name, each] as const))(
    'gives what numpy gives of layers that are stored as inputs × outputs: %s',
    async (_, each) => {
      const base = matrixOf(each.base)
      expect(error(await turnedMerge(base, each.models.map(matrixOf)), matrixOf(each.ace), base)).toBeLessThan(1e-4)
    },
  )

  it.each([
    [1, 5],
    [5, 1],
  ])('averages what has a single output, however it is stored: %i × %i', async (rows, columns) => {
    const base = random(rows, columns, 1)
    const models = [2, 3].map((seed) => plus(base, random(rows, columns, seed)))
    const expected = await merge('ace', base, models)
    expect(error(await turnedMerge(base, models), expected, base)).toBeLessThan(1e-5)
  })
})

describe('iso_c', () => {
  it('makes all singular values their mean', async () => {
    const base = random(30, 10, 1)
    const models = [2, 3].map((seed) => plus(base, random(30, 10, seed, 0.1)))
    const summed = plus(changeOf(models[0]!, base), changeOf(models[1]!, base))
    const mean = svd(summed).values.reduce((a, b) => a + b) / 10
    const merged = svd(changeOf(await merge('iso_c', base, models), base)).values
    for (const value of merged) expect(value / mean).toBeCloseTo(1, 4)
  })

  it('evens out singular values down to a thousandth of the largest', async () => {
    const size = 12
    const [u, v] = [qr(random(40, size, 1)).q, qr(random(size, size, 2)).q]
    const values = Array.from({ length: size }, (_, i) => 10 ** ((-3 * i) / (size - 1)))
    const zero = { rows: 40, columns: size, values: new Float64Array(40 * size) }
    const model = multiply({ ...u, values: u.values.map((value, i) => value * values[i % size]!) }, transpose(v))
    const merged = svd(await merge('iso_c', zero, [model])).values
    for (const value of merged) expect(value / merged[0]!).toBeGreaterThan(0.98)
  })

  it('leaves directions in which nothing changed', async () => {
    const zero = { rows: 20, columns: 9, values: new Float64Array(180) }
    const model = multiply(random(20, 2, 1), random(2, 9, 2))
    const [first, second, ...rest] = svd(await merge('iso_c', zero, [model])).values
    expect(second! / first!).toBeCloseTo(1, 4)
    expect(Math.max(...rest)).toBeLessThan(1e-2 * first!)
  })
})

describe('tsv_m', () => {
  it.each([
    [30, 10],
    [10, 30],
    [6, 6],
  ])('of one model is the model, %i × %i', async (rows, columns) => {
    const base = random(rows, columns, 1)
    const model = plus(base, random(rows, columns, 2, 0.1))
    expect(error(await merge('tsv_m', base, [model]), model, base)).toBeLessThan(1e-5)
  })

  it('of the same model twice is its better half', async () => {
    const zero = { rows: 9, columns: 6, values: new Float64Array(54) }
    const model = random(9, 6, 2)
    const { u, values, v } = svd(model)
    const half = multiply(
      { ...u, values: u.values.map((each, i) => (i % 6 < 3 ? each * values[i % 6]! : 0)) },
      transpose(v),
    )
    expect(error(await merge('tsv_m', zero, [model, model]), half, zero)).toBeLessThan(1e-5)
  })

  it('takes models of orthogonal changes as they are', async () => {
    const [u, v] = [qr(random(12, 4, 1)).q, qr(random(8, 4, 2)).q]
    const part = (...indices: readonly number[]) =>
      multiply({ ...u, values: u.values.map((each, i) => (indices.includes(i % 4) ? each : 0)) }, transpose(v))
    const zero = { rows: 12, columns: 8, values: new Float64Array(96) }
    const merged = await merge('tsv_m', zero, [part(0, 1), part(2, 3)])
    expect(error(merged, part(0, 1, 2, 3), zero)).toBeLessThan(1e-5)
  })

  it('scales by weights and lambda', async () => {
    const base = random(6, 5, 1)
    const model = plus(base, random(6, 5, 2))
    const merged = await merge('tsv_m', base, [model], { weight: 0.5, lambda: 0.5 })
    expect(error(merged, plus(base, plus(model, base, -1), 0.25), base)).toBeLessThan(1e-5)
  })
})
