import { join } from 'node:path'
import { openStreams, operationInputs, prepareMerge } from '@mk/merge'
import { expect, it } from 'vitest'
import { countPasses } from '../__fixtures__/count-passes.ts'
import { diff, inFolder, reference, wasm, writeTensors } from '../__fixtures__/models.ts'
import { diagnosePlan } from '../diagnose/diagnose-recipe.ts'
import { measureGram } from './gram.ts'
import type { SampleSizes } from './sample-blocks.ts'

type Value = (index: number) => number

const count = 600
const noise =
  (seed: number, size = 1): Value =>
  (index) =>
    size * Math.sin(seed * 12.9898 + index * index * 0.37 + seed * index)
const plus =
  (...values: readonly Value[]): Value =>
  (index) =>
    values.reduce((sum, value) => sum + value(index), 0)

const elements = (value: Value) => Float64Array.from({ length: count }, (_, index) => Math.fround(value(index)))
const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, index) => sum + value * y[index]!, 0)
const norm = (x: Float64Array) => Math.sqrt(dot(x, x))
const minus = (x: Float64Array, y: Float64Array) => x.map((value, index) => value - y[index]!)
const cosine = (x: Float64Array, y: Float64Array) => dot(x, y) / norm(x) / norm(y)

/** Of each its difference to what is expected, relative to that. */
const expectNear = (found: readonly (number | null)[], expected: readonly number[]) =>
  expect(found.map((value, index) => Math.abs(value! / expected[index]! - 1) < 2e-6)).toEqual(expected.map(() => true))

/** A first model or base, and two others. */
const cases: readonly (readonly [string, readonly [Value, Value, Value]])[] = [
  ['squares that are past float32', [noise(1), plus(noise(1), noise(2, 1e25)), plus(noise(1), noise(3, 1e20))]],
  ['all of them', [noise(1, 1e25), plus(noise(1, 1e25), noise(2, 1e24)), plus(noise(1, 1e25), noise(3, 1e23))]],
  ['differences that are past float32', [noise(1, 3e38), plus(noise(1, -3e38), noise(2, 1e37)), noise(3, 3e38)]],
  ['squares that would be 0', [noise(1, 1e-30), noise(2, 2e-30), plus(noise(1, 1e-30), noise(3, 1e-33))]],
  ['numbers below the normal ones', [noise(1, 1e-40), noise(2, 1e-40), noise(3, 1e-40)]],
  ['small changes of what is large', [(i) => (i % 2 ? 1e22 : 0), (i) => (i % 2 ? 1e22 : 1e-25), noise(1, 1e22)]],
  ['models that are small beside the first', [noise(1, 1e30), noise(2), plus(noise(2), noise(3, 0.1))]],
  ['models without squares beside a large one', [noise(1, 1e30), noise(2, 1e-30), noise(3, 1e-31)]],
  ['ones that are small, but not so much', [noise(1, 3000), noise(2), plus(noise(2), noise(3, 0.1))]],
]

const write = (folder: string, values: readonly Value[]) =>
  Promise.all(
    values.map((value, index) => writeTensors(folder, `m${index}`, { w: { shape: [count / 2, 2], values: value } })),
  )

it.each(cases)('a diagnosis has figures of %s', (_, values) =>
  inFolder(async (folder) => {
    const [base, ...models] = await write(folder, values)
    const diagnose = async (head: string, all: readonly string[], sample: SampleSizes | false) => {
      const text = `${head}\nparameters: {weight: 1}\nmodels: [${all.map((model) => `{model: ${model}}`).join(', ')}]`
      const prepared = await prepareMerge({ text, file: join(folder, 'recipe.yml') })
      return diagnosePlan(prepared.plan, prepared, { threads: 0, runtime: reference, sample })
    }
    const [c, x, y] = values.map(elements) as [Float64Array, Float64Array, Float64Array]
    for (const sample of [false, { wholeElements: 64, blockElements: 2 }] as const) {
      const changes = await diagnose(`merge_method: task_arithmetic\nbase_model: ${base!}`, models, sample)
      expect(changes.read.sampledTensors).toBe(0)
      for (const [index, of] of [x, y].entries()) {
        const { norm: found, change, relative, nonFinite } = changes.models[index]!
        const expected = norm(minus(of, c))
        expectNear([found, change, relative], [norm(of), expected, expected / norm(c)])
        expect(nonFinite).toBe(0)
      }
      const [pair] = changes.pairs
      expect(pair!.changes!.cosine).toBeCloseTo(cosine(minus(x, c), minus(y, c)), 5)
      expect(pair!.cosine).toBeCloseTo(cosine(x, y), 5)

      const all = [c, x, y]
      const plain = await diagnose('merge_method: linear', [base!, ...models], sample)
      expectNear(
        plain.models.map((model) => model.norm),
        all.map(norm),
      )
      for (const [index, [i, j]] of [[0, 1] as const, [0, 2] as const, [1, 2] as const].entries()) {
        const found = plain.pairs[index]!
        expect(found.cosine).toBeCloseTo(cosine(all[i]!, all[j]!), 5)
        const apart = (2 * norm(minus(all[j]!, all[i]!))) / (norm(all[i]!) + norm(all[j]!))
        expect(found.apart! / apart).toBeCloseTo(1, 4)
      }
    }
  }),
)

it.each(cases)('a comparison has figures of %s', (_, values) =>
  inFolder(async (folder) => {
    const [fileC, fileA, fileB] = await write(folder, values)
    const [c, a, b] = values.map(elements) as [Float64Array, Float64Array, Float64Array]
    for (const [x, y, names] of [
      [c, a, [fileC!, fileA!]],
      [a, c, [fileA!, fileC!]],
      [a, b, [fileA!, fileB!]],
    ] as const) {
      const { total } = await diff(names[0], names[1], { effectiveRank: true, runtime: wasm })
      const d = minus(y, x)
      expectNear(
        [total.normA, total.normB, total.norm, total.relative, total.largest, total.mean],
        [
          norm(x),
          norm(y),
          norm(d),
          norm(d) / norm(x),
          Math.max(...d.map(Math.abs)),
          d.reduce((sum, each) => sum + Math.abs(each), 0) / count,
        ],
      )
      expect(total.cosine).toBeCloseTo(cosine(x, y), 5)
      expect(total.nonFinite).toEqual({ a: 0, b: 0 })
    }
    const { changes } = (await diff(fileA!, fileB!, { base: fileC! })).total
    const [da, db] = [minus(a, c), minus(b, c)]
    expectNear([changes!.relativeA, changes!.relativeB], [norm(da) / norm(c), norm(db) / norm(c)])
    expect(changes!.cosine).toBeCloseTo(cosine(da, db), 5)
  }),
)

it('counts what is not finite beside squares that are past float32', () =>
  inFolder(async (folder) => {
    const file = (name: string, values: number[]) => writeTensors(folder, name, { w: { shape: [4], values } })
    const [a, b] = [await file('a', [3e20, Number.NaN, 4e20, 0]), await file('b', [0, 1, 0, Infinity])]
    const { total } = await diff(a, b)
    expect(total).toMatchObject({ changed: 1, nonFinite: { a: 1, b: 1 }, normB: 0 })
    expectNear([total.normA, total.norm, total.largest], [5e20, 5e20, 4e20])
  }))

it('tells models that are equal, and those that only differ by what has no square', () =>
  inFolder(async (folder) => {
    const file = (name: string, values: number[]) => writeTensors(folder, name, { w: { shape: [2], values } })
    const [base, a, b] = [await file('c', [1, 0]), await file('a', [1, 1e-30]), await file('b', [1, 0])]
    const text = `merge_method: task_arithmetic\nbase_model: ${base}\nparameters: {weight: 1}\nmodels: [{model: ${a}}, {model: ${b}}]`
    const prepared = await prepareMerge({ text, file: join(folder, 'recipe.yml') })
    const { findings, models } = await diagnosePlan(prepared.plan, prepared, { threads: 0, runtime: reference })
    expect(findings.filter(({ code }) => code === 'as-base').map((finding) => finding.models)).toEqual([[b]])
    expectNear([models[0]!.change], [Math.fround(1e-30)])
  }))

it('takes what is not finite in any model for 0 in all of them', () =>
  inFolder(async (folder) => {
    const file = (name: string, values: number[]) => writeTensors(folder, name, { w: { shape: [4], values } })
    const [a, b] = [await file('a', [3, Number.NaN, 4, 2]), await file('b', [6, 1, 8, Infinity])]
    const text = `merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: ${a}}, {model: ${b}}]`
    const prepared = await prepareMerge({ text, file: join(folder, 'recipe.yml') })
    const { models, pairs } = await diagnosePlan(prepared.plan, prepared, { threads: 0, runtime: reference })
    expect(models.map(({ norm: found, nonFinite }) => [found, nonFinite])).toEqual([
      [5, 1],
      [10, 1],
    ])
    expect(pairs[0]).toMatchObject({ apart: 5 / 7.5, cosine: 1 })
  }))

it.each([
  ['ordinary numbers', [noise(1), plus(noise(1), noise(2, 0.1)), plus(noise(1), noise(3, 0.1))], 1],
  ['squares that are past float32', [noise(1, 1e25), noise(2, 1e25), noise(3, 1e25)], 4],
  ['equal models', [noise(1), plus(noise(1), noise(2, 0.1)), noise(1)], 2],
] as const)('reads no more often than it has to: %s', (_, values, passes) =>
  inFolder(async (folder) => {
    const prepared = await prepareMerge({
      text: `merge_method: linear\nparameters: {weight: 1}\nmodels: [${(await write(folder, values)).map((model) => `{model: ${model}}`).join(', ')}]`,
      file: join(folder, 'recipe.yml'),
    })
    const [tensor] = prepared.plan.tensors
    const sources = operationInputs(tensor!.operation).map(({ source }) => source)
    const streams = await openStreams({ threads: 0, runtime: reference })
    const counting = countPasses(streams)
    await measureGram(counting, { sources, shape: tensor!.shape, withSigns: false })
    await streams.close()
    expect(counting.passCount()).toBe(passes)
  }),
)
