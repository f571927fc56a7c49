import { describe, it } from 'vitest'
import { combine, dot, expectClose, noise, norm, subtract, tuned } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'

const shape = [12, 20]
const [a, b] = [noise(240, 1), noise(240, 2, 2)]
const weight = [0.7, 0.4]
const t = 0.4 / 1.1

function naive(v0: ArrayLike<number>, v1: ArrayLike<number>): number[] {
  const cos = dot(v0, v1) / Math.max(norm(v0), 1e-7) / Math.max(norm(v1), 1e-7)
  const θ = Math.acos(Math.max(-1, Math.min(1, cos)))
  if (Math.sin(θ) < 1e-6) return combine([v0, v1], [1 - t, t])
  return combine([v0, v1], [Math.sin((1 - t) * θ) / Math.sin(θ), Math.sin(t * θ) / Math.sin(θ)])
}

/** The vectors that `indices` pick, each merged on its own. */
function naiveBy(indices: number[][], v0: ArrayLike<number>, v1: ArrayLike<number>): number[] {
  const out = Array.from(v0)
  for (const group of indices)
    naive(
      group.map((i) => v0[i]!),
      group.map((i) => v1[i]!),
    ).forEach((value, k) => (out[group[k]!] = value))
  return out
}
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
const byRow = range(12).map((r) => range(20).map((c) => r * 20 + c))
const byColumn = range(20).map((c) => range(12).map((r) => r * 20 + c))

describe('nuslerp', () => {
  it('follows the great circle, t from the weights', async () => {
    expectClose(await mergeArrays('nuslerp', { shape, models: [a, b], parameters: { weight } }), naive(a, b))
  })

  it('works on task vectors with a base', async () => {
    const { base, models } = tuned(240, 2)
    const merged = naive(subtract(models[0]!, base), subtract(models[1]!, base)).map((v, i) => v + base[i]!)
    expectClose(await mergeArrays('nuslerp', { shape, base, models, parameters: { weight } }), merged)
  })

  it('merges each row without nuslerp_flatten, each column with nuslerp_row_wise', async () => {
    const parameters = { weight, nuslerp_flatten: false }
    expectClose(await mergeArrays('nuslerp', { shape, models: [a, b], parameters }), naiveBy(byRow, a, b))
    expectClose(
      await mergeArrays('nuslerp', { shape, models: [a, b], parameters: { ...parameters, nuslerp_row_wise: true } }),
      naiveBy(byColumn, a, b),
    )
  })

  it('takes the first dimension of a tensor of three', async () => {
    const parameters = { weight, nuslerp_flatten: false, nuslerp_row_wise: true }
    expectClose(
      await mergeArrays('nuslerp', { shape: [12, 4, 5], models: [a, b], parameters }),
      naiveBy(byColumn, a, b),
    )
  })

  it('takes a vector as one, either way', async () => {
    for (const nuslerp_row_wise of [false, true]) {
      expectClose(
        await mergeArrays('nuslerp', {
          models: [a, b],
          parameters: { weight, nuslerp_flatten: false, nuslerp_row_wise },
        }),
        naive(a, b),
      )
    }
  })

  it('is the same the other way round', async () => {
    expectClose(
      await mergeArrays('nuslerp', { models: [b, a], parameters: { weight: weight.toReversed() } }),
      await mergeArrays('nuslerp', { models: [a, b], parameters: { weight } }),
    )
  })

  it('interpolates parallel and opposite tensors linearly', async () => {
    expectClose(
      await mergeArrays('nuslerp', { models: [a, a.map((v) => 2 * v)], parameters: { weight } }),
      a.map((v) => v * (1 + t)),
    )
    expectClose(
      await mergeArrays('nuslerp', { models: [a, a.map((v) => -v)], parameters: { weight } }),
      a.map((v) => v * (1 - 2 * t)),
    )
  })

  it('goes half way where the weights sum to 0', async () => {
    expectClose(
      await mergeArrays('nuslerp', { models: [a, b], parameters: { weight: [1, -1] } }),
      await mergeArrays('nuslerp', { models: [a, b], parameters: { weight: [1, 1] } }),
    )
  })

  it('takes tensors of zeros as at a right angle', async () => {
    expectClose(
      await mergeArrays('nuslerp', { models: [new Float32Array(240), b], parameters: { weight: 1 } }),
      b.map((v) => v * Math.SQRT1_2),
    )
  })
})
