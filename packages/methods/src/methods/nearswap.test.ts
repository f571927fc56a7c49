import { describe, expect, it } from 'vitest'
import { expectClose, tuned } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'

const {
  base,
  models: [other],
} = tuned(600, 1) as { base: Float32Array; models: [Float32Array] }
const nearswap = (t: number): Promise<Float32Array> =>
  mergeArrays('nearswap', { base, models: [other], parameters: { t } })

describe('nearswap', () => {
  it('weighs the other model by t / |base − other|', async () => {
    const merged = Array.from(base, (b, i) => {
      const w = Math.min(Math.max(0.03 / Math.max(Math.abs(b - other[i]!), 1e-6), 0), 1)
      return w * other[i]! + (1 - w) * b
    })
    expectClose(await nearswap(0.03), merged)
  })

  it('moves no element further than t', async () => {
    const merged = await nearswap(0.03)
    expect(Math.max(...merged.map((v, i) => Math.abs(v - base[i]!)))).toBeLessThan(0.03 + 1e-6)
  })

  it('is the base for t ≤ 0 and the other for a large t', async () => {
    expect(await nearswap(0)).toEqual(base)
    expect(await nearswap(-1)).toEqual(base)
    expect(await nearswap(100)).toEqual(other)
  })

  it('takes equal elements as they are', async () => {
    expectClose(await mergeArrays('nearswap', { base, models: [base], parameters: { t: 1e-9 } }), base)
  })
})
