import { describe, expect, it } from 'vitest'
import { expectClose, subtract, tuned } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'

const { base, models } = tuned(600, 3)
const epsilon = 0.08

function naive(r = 0, alpha = 0): number[] {
  const deltas = models.map((x) => subtract(x, base))
  const active = deltas.map((d) => d.map((v) => Math.abs(v) > epsilon))
  const count = Array.from(base, (_, i) => active.filter((a) => a[i]).length)
  const factors = active.map((a) => {
    const shared = a.filter((on, i) => on && count[i]! > 1).length
    const unique = a.filter((on, i) => on && count[i] === 1).length
    return 1 + r * Math.min(shared / unique, alpha)
  })
  return Array.from(
    base,
    (b, i) =>
      b +
      deltas.reduce(
        (sum, d, m) => sum + (active[m]![i] ? (count[i] === 1 ? d[i]! * factors[m]! : d[i]! / count[i]!) : 0),
        0,
      ),
  )
}

describe('ram', () => {
  it('keeps unique changes and averages shared ones', async () => {
    expectClose(await mergeArrays('ram', { base, models, parameters: { epsilon } }), naive())
  })

  it('gives back equal models, the base where none differs, and does not depend on their order', async () => {
    expectClose(
      await mergeArrays('ram', { base, models: [models[0]!, models[0]!], parameters: { epsilon: 0 } }),
      models[0]!,
    )
    expect(await mergeArrays('ram', { base, models: [base, base] })).toEqual(base)
    expectClose(
      await mergeArrays('ram', { base, models: models.toReversed() }),
      await mergeArrays('ram', { base, models }),
    )
  })

  it('adds up changes that no two models share', async () => {
    const merged = await mergeArrays('ram', {
      base: new Float32Array(3),
      models: [Float32Array.of(1, 0, 0), Float32Array.of(0, 2, 0)],
    })
    expect(merged).toEqual(Float32Array.of(1, 2, 0))
  })

  it('shows NaN where it is', async () => {
    const merged = await mergeArrays('ram', {
      base: new Float32Array(3),
      models: [Float32Array.of(1, NaN, 0), Float32Array.of(0, 2, 0)],
    })
    expect(merged).toEqual(Float32Array.of(1, NaN, 0))
  })
})

describe('ramplus_tl', () => {
  it.each([
    [0.2, 0.5],
    [0.2, 10],
    [0.5, 0.1],
  ])('amplifies unique changes, r %d, alpha %d', async (r, alpha) => {
    expectClose(await mergeArrays('ramplus_tl', { base, models, parameters: { epsilon, r, alpha } }), naive(r, alpha))
  })

  it('is ram with r 0', async () => {
    expectClose(
      await mergeArrays('ramplus_tl', { base, models, parameters: { epsilon, r: 0 } }),
      await mergeArrays('ram', { base, models, parameters: { epsilon } }),
    )
  })

  it('amplifies nothing where a model shares all or nothing of its changes', async () => {
    expectClose(
      await mergeArrays('ramplus_tl', { base, models: [models[0]!, models[0]!], parameters: { epsilon: 0 } }),
      models[0]!,
    )
    expectClose(await mergeArrays('ramplus_tl', { base, models: [models[0]!], parameters: { epsilon: 0 } }), models[0]!)
  })
})
