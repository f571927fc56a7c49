import { createArraySession, input } from '@mk/tensor'
import { describe, expect, it } from 'vitest'
import { expectClose, noise, subtract, tuned } from '../__fixtures__/arrays.ts'
import { findMethod } from '../check/find-method.ts'
import { parseParameters } from '../check/parse-parameters.ts'
import type { MethodContext } from '../declare/define-method.ts'
import { mergeArrays, type MergeArraysRequest } from '../merge-arrays.ts'
import { builtinMethods } from '../builtin-methods.ts'
import { createMethodContext } from '../method-context.ts'

const names = [...builtinMethods.values()].flatMap(({ name, parameters }) =>
  'normalize' in parameters.methodWide && 'lambda' in parameters.methodWide ? [name] : [],
)
const { base, models } = tuned(600, 3)
const weight = [0.7, 0.4, -0.2]
const quiet = { warn: () => {} }

interface Options {
  keep: (delta: number[], model: number) => number[]
  vote?: 'sum' | 'count'
  normalize?: boolean
  rescale?: boolean
  lambda?: number
}

/** The pipeline in float64, element by element. */
function naive({ keep, vote, normalize, rescale, lambda = 1 }: Options): number[] {
  const size = (x: number[]): number => x.reduce((sum, v) => sum + Math.abs(v), 0)
  const weighted = models.map((model, m) => {
    const delta = subtract(model, base)
    const sparse = keep(delta, m)
    const scale = rescale ? size(delta) / size(sparse) : 1
    return sparse.map((v) => Math.fround(v * Math.fround(weight[m]! * scale)))
  })
  return Array.from(base, (b, i) => {
    const values = weighted.map((delta) => delta[i]!)
    const ballot = values.map(vote === 'count' ? Math.sign : Math.fround).reduce((x, y) => x + y)
    const counted = values.map((v) => !vote || Math.sign(v) === (ballot >= 0 ? 1 : -1))
    const sum = (terms: number[]): number => terms.reduce((total, v, m) => total + (counted[m] ? v : 0), 0)
    const divisor = normalize ? sum(weight) || 1 : 1
    return b + (lambda * sum(values)) / divisor
  })
}

const all = (delta: number[]): number[] => delta
function largest(delta: number[], from: number, to: number): number[] {
  const order = delta.map((_, i) => i).toSorted((i, j) => Math.abs(delta[j]!) - Math.abs(delta[i]!) || i - j)
  const kept = new Set(order.slice(from, to))
  return delta.map((v, i) => (kept.has(i) ? v : 0))
}
const density = [0.6, 0.35, 0.8]
const trimmed = (delta: number[], m: number): number[] => largest(delta, 0, Math.trunc(density[m]! * delta.length))
const gamma = [0.05, 0.02, 0.5]
const crumbs = (delta: number[], m: number): number[] => {
  const n = delta.length
  const kept = Math.trunc(density[m]! * n)
  const top = Math.min(Math.trunc(gamma[m]! * n), n - kept)
  return largest(delta, top, top + kept)
}

const cases: [string, Record<string, unknown>, Options][] = [
  ['task_arithmetic', {}, { keep: all }],
  ['task_arithmetic', { normalize: true, lambda: 1.4 }, { keep: all, normalize: true, lambda: 1.4 }],
  ['ties', { density }, { keep: trimmed, vote: 'sum', normalize: true }],
  ['ties', { density, normalize: false, rescale: true }, { keep: trimmed, vote: 'sum', rescale: true }],
  ['ties', { density, consensus_method: 'count' }, { keep: trimmed, vote: 'count', normalize: true }],
  ['ties', { density, int8_mask: true, lambda: 0.5 }, { keep: trimmed, vote: 'sum', normalize: true, lambda: 0.5 }],
  ['breadcrumbs', { density, gamma }, { keep: crumbs }],
  ['breadcrumbs', { density, gamma, rescale: 1 }, { keep: crumbs, rescale: true }],
  ['breadcrumbs_ties', { density, gamma, normalize: true }, { keep: crumbs, vote: 'sum', normalize: true }],
  ['dare_linear', {}, { keep: all }],
  ['dare_ties', {}, { keep: all, vote: 'sum' }],
  ['della', {}, { keep: all, vote: 'sum', normalize: true }],
  ['della_linear', {}, { keep: all }],
]

describe('task-vector methods', () => {
  it.each(cases)('%s with %j is what its formula says', async (name, parameters, options) => {
    expectClose(
      await mergeArrays(findMethod(name), { base, models, parameters: { weight, ...parameters } }),
      naive(options),
    )
  })

  it.each(names)('%s of models that equal the base is the base', async (name) => {
    const thin = name === 'task_arithmetic' ? {} : { density: 0.5 }
    expect(
      await mergeArrays(findMethod(name), { base, models: [base, base], parameters: { weight: 0.7, ...thin } }),
    ).toEqual(base)
  })

  it.each(names)('%s of one model of weight 1 is that model', async (name) => {
    expectClose(
      await mergeArrays(findMethod(name), { base, models: [models[0]!], parameters: { weight: 1 } }),
      models[0]!,
    )
  })

  it.each(names)('%s with all weights 0 is the base', async (name) => {
    expect(await mergeArrays(findMethod(name), { base, models, parameters: { weight: 0, normalize: true } })).toEqual(
      base,
    )
  })

  it.each(names.filter((name) => name !== 'task_arithmetic'))(
    '%s with density 0 keeps nothing, and says so',
    async (name) => {
      const warnings: string[] = []
      const request: MergeArraysRequest = {
        base,
        models: [models[0]!],
        parameters: { weight: 1, density: 0 },
        tensorName: 'a.weight',
        warn: (w) => warnings.push(w),
      }
      expect(await mergeArrays(findMethod(name), request)).toEqual(base)
      expect(warnings).toEqual(['a.weight: density 0 of model 1 keeps none of its 600 elements'])
    },
  )

  it('a density that keeps nothing is told of tensors that have elements', async () => {
    const warnings: string[] = []
    const request = { parameters: { weight: 1, density: 0 }, warn: (text: string) => warnings.push(text) }
    await mergeArrays('ties', { ...request, base: new Float32Array(0), models: [new Float32Array(0)] })
    expect(warnings).toEqual([])
    await mergeArrays('ties', { ...request, base: Float32Array.of(1), models: [Float32Array.of(2)] })
    expect(warnings).toEqual(['tensor: density 0 of model 1 keeps none of its 1 elements'])
  })

  it.each(['ties', 'breadcrumbs', 'dare_linear', 'della'])('%s asks for nothing where all is kept', async (name) => {
    const asked: string[][] = []
    const ask = () => {
      throw new Error('asked')
    }
    const context = {
      ...createMethodContext(createArraySession({ shape: [600], inputs: [] }), { tensorName: 'a', seed: 0, ...quiet }),
      largest: (requests: object) => {
        asked.push(Object.keys(requests))
        return Promise.resolve({})
      },
      uniform: ask,
      reduce: ask,
    } as unknown as MethodContext
    const method = findMethod(name)
    const given = { perModel: [{ weight: 1, density: 1 }], methodWide: { rescale: false } }
    await method.merge({ base: input(1), models: [input(0)] }, parseParameters(method, given), context)
    expect(asked.flat()).toEqual([])
  })

  it.each(['ties', 'breadcrumbs'])('%s keeps nothing where density · n rounds to 0', async (name) => {
    const small = { base: Float32Array.of(1, 2, 3), models: [Float32Array.of(4, 5, 6)] }
    expect(
      await mergeArrays(findMethod(name), { ...small, parameters: { weight: 1, density: 0.3 }, ...quiet }),
    ).toEqual(small.base)
    expect(await mergeArrays(findMethod(name), { ...small, parameters: { weight: 1, density: 0.34 } })).toEqual(
      Float32Array.of(4, 2, 3),
    )
  })

  it('breadcrumbs with gamma 0, or one that rounds to 0 elements, removes no outliers', async () => {
    const ties = await mergeArrays('ties', { base, models: [models[0]!], parameters: { weight: 1, density: 0.5 } })
    for (const gamma of [0, 0.001]) {
      expectClose(
        await mergeArrays('breadcrumbs', {
          base,
          models: [models[0]!],
          parameters: { weight: 1, density: 0.5, gamma },
        }),
        ties,
      )
    }
  })

  it('the order of models does not matter', async () => {
    const forward = await mergeArrays('ties', { base, models, parameters: { weight, density } })
    expectClose(
      await mergeArrays('ties', {
        base,
        models: models.toReversed(),
        parameters: { weight: weight.toReversed(), density: density.toReversed() },
      }),
      forward,
    )
  })

  it('elects + where the weighted sum is 0, and leaves zeros out', async () => {
    const merged = await mergeArrays('ties', {
      base: new Float32Array(3),
      models: [Float32Array.of(2, 0, 0), Float32Array.of(-2, 3, 0)],
      parameters: { weight: 1 },
    })
    expect(merged).toEqual(Float32Array.of(2, 3, 0))
  })

  it('divides by 1 where the agreeing weights sum to 0', async () => {
    const models = [Float32Array.of(1, 1), Float32Array.of(-1, 1)]
    expect(await mergeArrays('ties', { base: new Float32Array(2), models, parameters: { weight: [1, -1] } })).toEqual(
      Float32Array.of(2, 1),
    )
    expect(
      await mergeArrays('task_arithmetic', {
        base: new Float32Array(2),
        models,
        parameters: { weight: [1, -1], normalize: true },
      }),
    ).toEqual(Float32Array.of(2, 0))
  })

  it('divides by sums of weights from 1e-8 on', async () => {
    const of = async (weight: number) => {
      const request = { base: new Float32Array(1), models: [Float32Array.of(1), Float32Array.of(5)] }
      const parameters = { weight: [weight, 0], normalize: true }
      return (await mergeArrays('task_arithmetic', { ...request, parameters }))[0]
    }
    expect(await of(1.5e-8)).toBeCloseTo(1, 6)
    expect(await of(-1.5e-8)).toBeCloseTo(1, 6)
    expect(await of(0.9e-8)).toBeLessThan(1e-8)
  })

  it('restores norms from 1e-7 on', async () => {
    const of = async (size: number) => {
      const request = { base: new Float32Array(2), models: [Float32Array.of(size, 2 * size)] }
      const parameters = { weight: 1, density: 0.5, rescale: true }
      return (await mergeArrays('ties', { ...request, parameters }))[1]! / (2 * size)
    }
    expect(await of(1)).toBeCloseTo(1.5, 6)
    expect(await of(0.1)).toBeCloseTo(1.5, 6)
    expect(await of(0.7e-7)).toBeCloseTo(1.5, 6)
    // What is kept is below that; then all of it.
    expect(await of(0.4e-7)).toBeCloseTo(1, 6)
    expect(await of(0.3e-7)).toBeCloseTo(1, 6)
  })

  it.each(names)('%s shows NaN where it is', async (name) => {
    const broken = models.map((model, m) => model.map((v, i) => (m === 1 && i === 5 ? NaN : v)))
    const merged = await mergeArrays(findMethod(name), { base, models: broken, parameters: { weight } })
    expect(Array.from(merged).flatMap((v, i) => (Number.isNaN(v) ? [i] : []))).toEqual([5])
  })

  it('refuses to rescale by a norm that is not finite', async () => {
    const broken = models[0]!.map((v, i) => (i === 5 ? Infinity : v))
    const merging = mergeArrays('dare_linear', {
      base,
      models: [models[1]!, broken],
      parameters: { weight: 1, density: 0.5 },
    })
    await expect(merging).rejects.toMatchObject({ issue: { code: 'not-finite', model: 1 } })
  })

  it('needs a base, and weights', async () => {
    await expect(mergeArrays('ties', { models, parameters: { weight } })).rejects.toMatchObject({
      code: 'base-required',
    })
    await expect(mergeArrays('ties', { base, models })).rejects.toMatchObject({
      issue: { code: 'missing-parameter', parameter: 'weight', model: 0 },
    })
  })
})

describe('della', () => {
  it.each([
    [0.1, 0.15],
    [0.9, 0.15],
    [0.25, 0.25],
    [0.75, 0.25],
  ])('refuses density %d ± epsilon %d', async (density, epsilon) => {
    const merging = mergeArrays('della', {
      base,
      models: [models[0]!],
      parameters: { weight: 1, density, epsilon },
      tensorName: 'a',
    })
    await expect(merging).rejects.toMatchObject({
      issue: { code: 'density-out-of-range', tensor: 'a', model: 0, density, epsilon },
    })
  })

  it('keeps elements of one-column rows with probability density', async () => {
    const tall = noise(5000, 9)
    const merged = await mergeArrays('della_linear', {
      shape: [5000, 1],
      base: new Float32Array(5000),
      models: [tall],
      parameters: { weight: 1, density: 0.7, rescale: false },
    })
    const kept = merged.filter((v) => v !== 0).length / 5000
    expect(Math.abs(kept - 0.7)).toBeLessThan(3 * Math.sqrt((0.7 * 0.3) / 5000))
  })
})

describe('random numbers', () => {
  const drawing = ['dare_linear', 'dare_ties', 'della', 'della_linear']

  it.each(drawing)('%s draws them where some share of a model is kept, and not where all or nothing is', (name) => {
    const draws = (...density: number[]) => builtinMethods.get(name)!.draws!({ density })
    expect([draws(0.5), draws(1, 0.5), draws(0.5, 0), draws(1e-9), draws(1 - 1e-9)]).toEqual(Array(5).fill(true))
    expect([draws(1), draws(0), draws(1, 0), draws()]).toEqual(Array(4).fill(false))
  })

  it('no other method draws any', () => {
    expect(
      [...builtinMethods.values()].flatMap(({ name, draws }) => (draws === undefined ? [] : [name])).toSorted(),
    ).toEqual(drawing)
  })
})
