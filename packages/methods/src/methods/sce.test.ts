import { describe, expect, it } from 'vitest'
import { expectClose, subtract, tuned } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'

const { base, models } = tuned(600, 3)

function naive(topk: number, size = 1): number[] {
  let deltas = models.map((x) => subtract(x, base).map((d) => d * size))
  if (topk < 1) {
    const variance = Array.from(base, (_, i) => {
      const values = deltas.map((d) => d[i]!)
      const mean = values.reduce((a, b) => a + b) / values.length
      return values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length
    })
    const k = Math.trunc(topk * variance.filter((v) => v > 0).length)
    const kept = new Set(
      variance
        .map((_, i) => i)
        .toSorted((i, j) => variance[j]! - variance[i]!)
        .slice(0, k),
    )
    deltas = deltas.map((d) => d.map((v, i) => (kept.has(i) ? v : 0)))
  }
  const energies = deltas.map((d) => d.reduce((sum, v) => sum + v * v, 0) / d.length)
  const all = energies.reduce((a, b) => a + b)
  const weights = energies.map((e) => (all < 1e-6 ? 1 / 3 : e / all))
  return Array.from(base, (b, i) => {
    const values = deltas.map((d) => d[i]!)
    const sign = values.reduce((x, y) => x + y) >= 0 ? 1 : -1
    const sum = (terms: number[]): number =>
      terms.reduce((total, v, m) => total + (Math.sign(values[m]!) === sign ? v : 0), 0)
    return b + sum(values.map((v, m) => v * weights[m]!)) / Math.max(sum(weights), 1e-6)
  })
}

describe('sce', () => {
  it.each([1, 0.3, 0.01])('selects, weights by energy and erases, select_topk %d', async (select_topk) => {
    expectClose(await mergeArrays('sce', { base, models, parameters: { select_topk } }), naive(select_topk))
  })

  it('weights equally where there is hardly any energy', async () => {
    const near = models.map((x) => x.map((v, i) => base[i]! + (v - base[i]!) * 1e-3))
    const merged = await mergeArrays('sce', {
      base: new Float32Array(600),
      models: near.map((x) => Float32Array.from(subtract(x, base))),
    })
    expectClose(
      merged,
      naive(1, 1e-3).map((v, i) => v - base[i]!),
      1e-3,
    )
  })

  it('weights by energy from 1e-6 on, divides by weights from 1e-6 on', async () => {
    const of = async (size: number, share = 2) => {
      const models = [Float32Array.of(size, 0), Float32Array.of(size / share, 0)]
      return (await mergeArrays('sce', { base: new Float32Array(2), models }))[0]! / size
    }
    // Energies of 2:1 as amplitudes are 4:1 as weights.
    expect(await of(1)).toBeCloseTo(0.9, 6)
    // Means of squares of 1.5e-6 and 0.9e-6 in all.
    expect(await of(Math.sqrt((2 * 1.5e-6) / 1.25))).toBeCloseTo(0.9, 5)
    expect(await of(Math.sqrt((2 * 0.9e-6) / 1.25))).toBeCloseTo(0.75, 5)
    // The second element is that of a model whose weight is 1.5e-6, and then 0.5e-6.
    const second = async (weight: number) => {
      const models = [Float32Array.of(1, 0), Float32Array.of(0, Math.sqrt(weight))]
      return (await mergeArrays('sce', { base: new Float32Array(2), models }))[1]! / Math.sqrt(weight)
    }
    expect(await second(1.5e-6)).toBeCloseTo(1, 5)
    expect(await second(0.5e-6)).toBeCloseTo(0.5, 5)
  })

  it('counts elements as varying only where models differ', async () => {
    const half = models.map((x) => x.map((v, i) => (i % 2 ? v : base[i]! + 0.3)))
    const merged = await mergeArrays('sce', { base, models: half, parameters: { select_topk: 0.999 } })
    const changed = merged.filter((v, i) => v !== base[i]).length
    expect(changed).toBe(Math.trunc(0.999 * 300))
    expect(merged.every((v, i) => i % 2 === 1 || v === base[i])).toBe(true)
  })

  it('is the base where it selects nothing, where no model differs', async () => {
    expect(await mergeArrays('sce', { base, models, parameters: { select_topk: 0 } })).toEqual(base)
    expect(await mergeArrays('sce', { base, models: [base, base] })).toEqual(base)
    expect(await mergeArrays('sce', { base, models: [models[0]!], parameters: { select_topk: 0.5 } })).toEqual(base)
  })

  it('gives back equal models, and does not depend on their order', async () => {
    expectClose(await mergeArrays('sce', { base, models: [models[0]!, models[0]!] }), models[0]!)
    expectClose(
      await mergeArrays('sce', { base, models: models.toReversed() }),
      await mergeArrays('sce', { base, models }),
    )
  })

  it('refuses energies that are not finite', async () => {
    await expect(
      mergeArrays('sce', { base, models: [models[0]!, new Float32Array(600).fill(NaN)] }),
    ).rejects.toMatchObject({ issue: { code: 'not-finite', model: 1 } })
  })
})
