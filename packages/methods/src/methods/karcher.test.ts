import { describe, expect, it } from 'vitest'
import { combine, dot, expectClose, noise, norm } from '../__fixtures__/arrays.ts'
import { karcherMean } from './karcher.ts'
import { mergeArrays } from '../merge-arrays.ts'

const models = [noise(300, 1), noise(300, 2, 2), noise(300, 3, 0.5)]

/** The iteration on whole vectors. */
function naive(vectors: ArrayLike<number>[], iterations: number, tolerance: number): number[] {
  const unit = (x: ArrayLike<number>): number[] => Array.from(x, (v) => v / norm(x))
  const units = vectors.map(unit)
  let u = unit(
    combine(
      units,
      units.map(() => 1),
    ),
  )
  for (let i = 0; i < iterations; i++) {
    const steps = units.map((x) => {
      const θ = Math.acos(Math.min(1, dot(u, x)))
      return θ < tolerance ? x.map(() => 0) : combine([x, u], [θ / Math.sin(θ), (-θ / Math.sin(θ)) * dot(u, x)])
    })
    const T = combine(
      steps,
      steps.map(() => 1 / units.length),
    )
    if (norm(T) < tolerance) break
    u = unit(combine([u, T], [Math.cos(norm(T)), Math.sin(norm(T)) / norm(T)]))
  }
  const scale = vectors.reduce((sum, x) => sum + norm(x), 0) / vectors.length
  return u.map((v) => v * scale)
}

describe('karcher', () => {
  it.each([
    [10, 1e-5],
    [3, 1e-3],
    [1, 1e-9],
    [0, 1e-5],
  ])('is what the iteration on whole vectors gives, max_iter %d, tol %d', async (max_iter, tol) => {
    expectClose(await mergeArrays('karcher', { models, parameters: { max_iter, tol } }), naive(models, max_iter, tol))
  })

  it('is the point where the pulls of the models cancel out', async () => {
    const merged = await mergeArrays('karcher', { models, parameters: { max_iter: 100, tol: 1e-12 } })
    const u = merged.map((v) => v / norm(merged))
    const pulls = models.map((x) => {
      const cos = dot(x, u) / norm(x)
      return combine(
        [x, u],
        [Math.acos(cos) / norm(x), -Math.acos(cos) * cos].map((c) => c / Math.sqrt(1 - cos * cos)),
      )
    })
    expect(norm(combine(pulls, [1, 1, 1]))).toBeLessThan(1e-5)
  })

  it('does not depend on the order of the models', async () => {
    expectClose(await mergeArrays('karcher', { models: models.toReversed() }), await mergeArrays('karcher', { models }))
  })

  it('gives back equal models, and one model', async () => {
    expectClose(await mergeArrays('karcher', { models: [models[0]!, models[0]!] }), models[0]!)
    expect(await mergeArrays('karcher', { models: [models[0]!] })).toEqual(models[0])
  })

  it('counts zeros in the scale only', async () => {
    const zeros = new Float32Array(300)
    expectClose(
      await mergeArrays('karcher', { models: [models[0]!, zeros] }),
      models[0]!.map((v) => v / 2),
    )
    expect(await mergeArrays('karcher', { models: [zeros, zeros] })).toEqual(zeros)
    // So small that its length is 0, too.
    expect(await mergeArrays('karcher', { models: [Float32Array.of(1, 0), Float32Array.of(1e-30, 1e-30)] })).toEqual(
      Float32Array.of(0.5, 0),
    )
  })

  it('finds a direction for models as small as they may be', async () => {
    const tiny = models.map((x) => x.map((v) => v * 1e-8))
    expectClose(
      await mergeArrays('karcher', { models: tiny }),
      Array.from(await mergeArrays('karcher', { models }), (v) => v * 1e-8),
      1e-5,
    )
  })

  it('takes the first of two opposite directions, having no mean', () => {
    expect(
      karcherMean(
        [
          [1, -1],
          [-1, 1],
        ],
        10,
        1e-5,
      ),
    ).toEqual([1, 0])
  })
})
