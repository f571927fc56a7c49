import { describe, expect, it } from 'vitest'
import { combine, dot, expectClose, noise, norm, subtract, tuned } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'

const models = [noise(300, 1), noise(300, 2, 2), noise(300, 3, 0.5)]
const weight = [0.7, 0.4, 0.9]

/** Tangent space, exponential map and all, as published. */
function naive(vectors: ArrayLike<number>[], weights: number[], eps = 1e-8): number[] {
  const units = vectors.map((x) => Array.from(x, (v) => v / (norm(x) + eps)))
  const sum = combine(units, weights)
  const mean = sum.map((v) => v / norm(sum))
  const tangents = units.map((u) => combine([u, mean], [1, -dot(u, mean)]))
  const T = combine(tangents, weights)
  const length = norm(T) + eps
  const scale = vectors.reduce((total, x, i) => total + weights[i]! * norm(x), 0)
  return combine([mean, T], [scale * Math.cos(length), (scale * Math.sin(length)) / length])
}

describe('multislerp', () => {
  it('is the exponential map of the weighted tangents at the mean', async () => {
    expectClose(
      await mergeArrays('multislerp', { models, parameters: { weight } }),
      naive(
        models,
        weight.map((w) => w / 2),
      ),
    )
    expectClose(
      await mergeArrays('multislerp', { models, parameters: { weight, normalize_weights: false } }),
      naive(models, weight),
    )
    expectClose(
      await mergeArrays('multislerp', { models, parameters: { weight, eps: 0.1 } }),
      naive(
        models,
        weight.map((w) => w / 2),
        0.1,
      ),
    )
  })

  it('works on task vectors with a base', async () => {
    const { base, models } = tuned(300, 3)
    const merged = naive(
      models.map((x) => subtract(x, base)),
      weight.map((w) => w / 2),
    ).map((v, i) => v + base[i]!)
    expectClose(await mergeArrays('multislerp', { base, models, parameters: { weight } }), merged)
  })

  it('does not depend on the order of the models', async () => {
    expectClose(
      await mergeArrays('multislerp', { models: models.toReversed(), parameters: { weight: weight.toReversed() } }),
      await mergeArrays('multislerp', { models, parameters: { weight } }),
    )
  })

  it('gives back equal models, and one model', async () => {
    expectClose(
      await mergeArrays('multislerp', { models: [models[0]!, models[0]!, models[0]!], parameters: { weight } }),
      models[0]!,
    )
    expect(
      await mergeArrays('multislerp', { base: models[1]!, models: [models[0]!], parameters: { weight: 1 } }),
    ).toEqual(models[0])
  })

  it('gives the base where no model differs from it', async () => {
    expect(
      await mergeArrays('multislerp', {
        base: models[0]!,
        models: [models[0]!, models[0]!, models[0]!],
        parameters: { weight },
      }),
    ).toEqual(models[0])
  })

  it('interpolates two opposite models linearly, and refuses three that cancel out', async () => {
    const [x] = models as [Float32Array]
    const opposite = x.map((v) => -3 * v)
    expectClose(
      await mergeArrays('multislerp', { models: [x, opposite], parameters: { weight: 1 } }),
      x.map((v) => -v),
    )
    const merging = mergeArrays('multislerp', {
      models: [x, x, opposite],
      parameters: { weight: [1, 1, 2] },
      tensorName: 'a',
    })
    await expect(merging).rejects.toMatchObject({ issue: { code: 'antipodal', tensor: 'a' } })
  })

  it('refuses means that are shorter than a thousandth of what was averaged, or than eps, whatever the size', async () => {
    const canceling = (angle: number, size: number) => [
      Float32Array.of(size, 0),
      Float32Array.of(size, 0),
      Float32Array.of(-size * Math.cos(angle), size * Math.sin(angle)),
    ]
    const merging = (angle: number, size: number, parameters = {}) =>
      mergeArrays('multislerp', {
        models: canceling(angle, size),
        parameters: { weight: [1, 1, 2], normalize_weights: false, ...parameters },
      })
    for (const size of [0.2, 1, 5]) {
      await expect(merging(1.9e-3, size)).rejects.toMatchObject({ code: 'antipodal' })
      expect((await merging(2.2e-3, size))[1]).toBeGreaterThan(0)
    }
    await expect(merging(0.1, 1, { eps: 0.3 })).rejects.toMatchObject({ code: 'antipodal' })
    expect((await merging(0.3, 1, { eps: 0.3 }))[1]).toBeGreaterThan(0)
  })

  it('refuses weights that sum to 0', async () => {
    await expect(mergeArrays('multislerp', { models, parameters: { weight: [1, 1, -2] } })).rejects.toMatchObject({
      code: 'weights-sum-to-zero',
    })
  })
})
