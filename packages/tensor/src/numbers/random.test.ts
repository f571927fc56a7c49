import { describe, expect, it } from 'vitest'
import { fmix32, randomKey, uniformAt } from './random.ts'

const count = 2 ** 17
const draw = (key: { high: number; low: number }, from = 0) =>
  Float64Array.from({ length: count }, (_, i) => uniformAt(key, from + i))
/** The correlation of two sequences in units of what chance gives. */
const correlation = (x: Float64Array, y: Float64Array, lag = 0) => {
  let sum = 0
  for (let i = lag; i < count; i++) sum += (x[i]! - 0.5) * (y[i - lag]! - 0.5)
  return (sum * 12) / Math.sqrt(count - lag)
}
const keys = [
  randomKey(42, 'model.layers.0.mlp.up_proj.weight', 0),
  randomKey(42, 'model.layers.0.mlp.up_proj.weight', 1),
  randomKey(43, 'model.layers.1.mlp.up_proj.weight', 0),
  { high: 0, low: 0 },
  { high: 0, low: 1 },
  { high: 1, low: 0 },
]

describe('uniformAt', () => {
  it('is what it always was', () => {
    expect([0, 1, 2 ** 32, 2 ** 40 + 5].map((index) => uniformAt({ high: 1, low: 2 }, index) * 2 ** 24)).toEqual([
      14232437, 11488393, 7767064, 12582456,
    ])
  })

  it('is spread evenly', () => {
    for (const key of keys) {
      const bins = new Float64Array(256)
      for (const u of draw(key)) bins[Math.floor(u * 256)]!++
      const chi2 = bins.reduce((sum, n) => sum + (n - count / 256) ** 2 / (count / 256), 0)
      expect(Math.abs(chi2 - 255) / Math.sqrt(2 * 255)).toBeLessThan(4)
    }
  })

  it('does not show in one number what the next, or that of another key or block, will be', () => {
    const sequences = [...keys.map((key) => draw(key)), draw(keys[0]!, 2 ** 32)]
    sequences.forEach((x, i) => {
      for (const lag of [1, 2, 3, 4, 8, 1024]) expect(Math.abs(correlation(x, x, lag))).toBeLessThan(4.5)
      for (const y of sequences.slice(i + 1)) expect(Math.abs(correlation(x, y))).toBeLessThan(4.5)
    })
  })

  it('is spread evenly in pairs of neighbors', () => {
    const bins = new Float64Array(1024)
    const u = draw(keys[0]!)
    for (let i = 0; i < count; i += 2) bins[Math.floor(u[i]! * 32) * 32 + Math.floor(u[i + 1]! * 32)]!++
    const chi2 = bins.reduce((sum, n) => sum + (n - count / 2048) ** 2 / (count / 2048), 0)
    expect(Math.abs(chi2 - 1023) / Math.sqrt(2 * 1023)).toBeLessThan(4)
  })
})

describe('randomKey', () => {
  it('is what it always was', () => {
    expect(randomKey(42, 'model.embed_tokens.weight', 1)).toEqual({ high: 2787033293, low: 1220577471 })
  })

  it('differs with seed, name and model', () => {
    const made = [
      randomKey(1, 'a', 0),
      randomKey(2, 'a', 0),
      randomKey(1 + 2 ** 32, 'a', 0),
      randomKey(1, 'b', 0),
      randomKey(1, 'a\0', 0),
      randomKey(1, 'a', 1),
      randomKey(1, 'aé', 0),
      randomKey(1, '', 0),
    ]
    expect(new Set(made.map(({ high }) => high)).size).toBe(made.length)
    expect(new Set(made.map(({ low }) => low)).size).toBe(made.length)
  })
})

it('fmix32 is the finalizer of MurmurHash3', () => {
  expect([0, 1, 0xffffffff].map(fmix32)).toEqual([0, 0x514e28b7, 0x81f16f39])
})
