import { describe, expect, it } from 'vitest'
import { mergeArrays } from '../merge-arrays.ts'
import { arcCoefficients, slerpCoefficients } from './arc.ts'
import { total } from './combine.ts'
import { dot, dotsWith, lengthOf, scaleGram } from './gram.ts'
import { normalizeWeights } from './weights.ts'

describe('a sum of expressions', () => {
  it('of none is 0', () => {
    expect(total([])).toEqual({ op: 'number', value: 0 })
  })
})

describe('slerp', () => {
  it('divides by lengths above 1e-8, and takes others for 1', () => {
    const of = (length: number) => slerpCoefficients(0.3, { aa: length ** 2, bb: length ** 2, ab: length ** 2 / 2 })
    const [first, second] = arcCoefficients(0.3, Math.acos(0.5))
    expect(of(1.5e-8)[0]).toBeCloseTo(first, 12)
    expect(of(1.5e-8)[1]).toBeCloseTo(second, 12)
    expect(of(0.9e-8)[0]).toBeCloseTo(Math.cos(0.15 * Math.PI), 12)
  })

  it('is linear where a cosine is beyond 0.9995, and not where it is that', () => {
    const of = (ab: number) => slerpCoefficients(0.3, { aa: 1, bb: 1, ab })
    expect(of(0.99951)).toEqual([0.7, 0.3])
    expect(of(-0.99951)).toEqual([0.7, 0.3])
    expect(of(0.9995)).toEqual(arcCoefficients(0.3, Math.acos(0.9995)))
    expect(of(-0.9995)).toEqual(arcCoefficients(0.3, Math.acos(-0.9995)))
  })
})

describe('weights', () => {
  it('are divided by their sum', () => {
    expect(normalizeWeights([1, 3], 'a')).toEqual([0.25, 0.75])
    expect(normalizeWeights([2, -1], 'a')).toEqual([2, -1])
  })

  it.each([[[0]], [[0, 0]], [[1, -1]], [[0.1, 0.2, -0.3]], [[1, -1 + 1.9e-12]], [[-1, 1 - 1.9e-12]]])(
    'that cancel, such as %j, are refused',
    (weights) => {
      expect(() => normalizeWeights(weights, 'a')).toThrow('a: the weights')
    },
  )

  it('that nearly cancel are not', () => {
    const [first, second] = normalizeWeights([1, -1 + 3e-12], 'a')
    expect(first! + second!).toBeCloseTo(1, 3)
    expect(first).toBeGreaterThan(3e11)
  })
})

describe('a Gram matrix', () => {
  const gram = [
    [4, 1],
    [1, 9],
  ]

  it('gives dot products with a combination, and its length', () => {
    expect(dot([1, 2, 3], [4, 5, 6])).toBe(32)
    expect(dotsWith(gram, [2, -1])).toEqual([7, -7])
    expect(lengthOf(gram, [2, -1])).toBeCloseTo(Math.sqrt(21), 12)
    expect(lengthOf(gram, [1, 0])).toBe(2)
  })

  it('of vectors that rounding makes shorter than nothing is that of nothing', () => {
    expect(
      lengthOf(
        [
          [1, -1.1],
          [-1.1, 1],
        ],
        [1, 1],
      ),
    ).toBe(0)
  })

  it('follows when vectors are divided', () => {
    expect(scaleGram(gram, [2, 3])).toEqual([
      [1, 1 / 6],
      [1 / 6, 1],
    ])
  })
})

const [fine, broken] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(1, NaN, 3, 4)]
const shape = [2, 2]

describe('what is not finite is named', () => {
  it.each([
    ['karcher', {}],
    ['multislerp', { weight: 1 }],
    ['nuslerp', { weight: 1 }],
    ['nuslerp', { weight: 1, nuslerp_flatten: false }],
    ['linear', { weight: 'inverse_norm' }],
  ] as const)('%s with %j: as the model where there is no base', async (name, parameters) => {
    const merging = mergeArrays(name, { shape, models: [fine, broken], parameters, tensorName: 'a' })
    await expect(merging).rejects.toMatchObject({
      issue: { code: 'not-finite', tensor: 'a', model: 1, name: 'model 2' },
    })
  })

  it.each([
    ['multislerp', { weight: 1 }],
    ['nuslerp', { weight: 1 }],
    ['nuslerp', { weight: 1, nuslerp_flatten: false }],
    ['model_stock', {}],
    ['model_stock', { filter_wise: true }],
    ['sce', {}],
    ['ties', { weight: 'metagpt' }],
    ['dare_linear', { weight: 1, density: 0.5, rescale: true }],
  ] as const)('%s with %j: as the model or the base, whose difference it is', async (name, parameters) => {
    const base = Float32Array.of(4, 3, 2, 1)
    const merging = mergeArrays(name, { shape, base, models: [fine, broken], parameters, tensorName: 'a' })
    await expect(merging).rejects.toMatchObject({
      issue: { code: 'not-finite', tensor: 'a', model: 1, name: 'model 2 or the base' },
    })
  })

  it('slerp: as the base, or the other model', async () => {
    const of = (base: Float32Array, other: Float32Array) =>
      mergeArrays('slerp', { base, models: [other], parameters: { t: 0.5 } })
    await expect(of(broken, fine)).rejects.toMatchObject({ issue: { model: 'base', name: 'the base' } })
    await expect(of(fine, broken)).rejects.toMatchObject({ issue: { model: 0, name: 'model 1' } })
  })
})
