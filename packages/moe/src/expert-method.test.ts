import { mergeArrays, type MethodDefinition } from '@mk/methods'
import { describe, expect, it } from 'vitest'
import { expertMethod } from './expert-method.ts'

const run = async (count: number, parameters: Record<string, unknown>, seed = 0): Promise<Float32Array> => {
  const method: MethodDefinition = expertMethod
  return mergeArrays(method, { models: [new Float32Array(count).fill(2)], parameters, seed, tensorName: 'x' })
}

/** The share of a normal distribution below x, by the series of Abramowitz and Stegun 26.2.10. */
function normalShare(x: number): number {
  let [term, sum] = [x, x]
  for (let n = 1; n < 200; n++) {
    term *= (x * x) / (2 * n + 1)
    sum += term
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI)
}

describe('expertMethod', () => {
  it('draws numbers whose ranks are those of a normal distribution', async () => {
    const count = 20_000
    const drawn = (await run(count, { drawn: 'normal' })).toSorted()
    // Kolmogorov and Smirnov: past 1.95/√n in one of a thousand draws.
    const off = drawn.reduce(
      (most, value, rank) => Math.max(most, Math.abs(normalShare(value) - (rank + 0.5) / count)),
      0,
    )
    expect(off).toBeLessThan(1.95 / Math.sqrt(count))
    expect(Math.max(...drawn)).toBeGreaterThan(3.3)
    expect(Math.min(...drawn)).toBeLessThan(-3.3)
  })

  it('draws from a range on both sides of 0', async () => {
    const drawn = await run(20_000, { drawn: 'uniform', width: 0.25 })
    const off = drawn
      .toSorted()
      .reduce((most, value, rank) => Math.max(most, Math.abs((value + 0.25) / 0.5 - (rank + 0.5) / 20_000)), 0)
    expect(off).toBeLessThan(1.95 / Math.sqrt(20_000))
  })

  it('adds noise first, and scales then', async () => {
    const [normal, noisy] = [
      await run(100, { drawn: 'normal' }),
      await run(100, { noise_scale: 0.5, residual_scale: 3 }),
    ]
    noisy.forEach((value, index) => expect(value).toBeCloseTo((2 + 0.5 * normal[index]!) * 3, 4))
    expect([...(await run(3, { residual_scale: 0.5 }))]).toEqual([1, 1, 1])
  })

  it('draws the same for the same seed, and other numbers for another', async () => {
    expect(await run(50, { drawn: 'normal' }, 1)).toEqual(await run(50, { drawn: 'normal' }, 1))
    expect(await run(50, { drawn: 'normal' }, 1)).not.toEqual(await run(50, { drawn: 'normal' }, 2))
  })
})
