import { describe, expect, it } from 'vitest'
import { combine, dot, expectClose, noise, norm, tuned } from '../__fixtures__/arrays.ts'
import { mergeArrays } from '../merge-arrays.ts'
import { slerpCoefficients } from '../algebra/arc.ts'

const base = noise(500, 1)
const other = noise(500, 2, 3)
const slerp = (a: Float32Array, b: Float32Array, t: number): Promise<Float32Array> =>
  mergeArrays('slerp', { base: a, models: [b], parameters: { t } })

function naive(a: Float32Array, b: Float32Array, t: number): number[] {
  const θ = Math.acos(dot(a, b) / norm(a) / norm(b))
  return combine([a, b], [Math.sin((1 - t) * θ) / Math.sin(θ), Math.sin(t * θ) / Math.sin(θ)])
}

describe('slerp', () => {
  it.each([0.1, 0.5, 0.9, 1.2])('follows the great circle, t = %d', async (t) => {
    expectClose(await slerp(base, other, t), naive(base, other, t))
  })

  it('starts at the base and ends at the other', async () => {
    expect(await slerp(base, other, 0)).toEqual(base)
    expect(await slerp(base, other, 1)).toEqual(other)
  })

  it('keeps the length of vectors of equal length', async () => {
    const [a, b] = [base, other].map((x) => x.map((v) => v / norm(x))) as [Float32Array, Float32Array]
    expect(norm(await slerp(a, b, 0.3))).toBeCloseTo(1, 6)
  })

  it('is the same backwards with 1 − t', async () => {
    expectClose(await slerp(base, other, 0.3), await slerp(other, base, 0.7))
  })

  it('interpolates linearly where |cos θ| > 0.9995', async () => {
    const { base: a, models } = tuned(500, 1)
    const close = a.map((x, i) => x + 0.01 * models[0]![i]!)
    expectClose(await slerp(a, close, 0.3), combine([a, close], [0.7, 0.3]))
    expect(slerpCoefficients(0.3, { aa: 1, bb: 1, ab: -0.9996 })).toEqual([0.7, 0.3])
  })

  it('does not normalize lengths up to 1e-8', async () => {
    expect(await slerp(new Float32Array(3), new Float32Array(3), 0.5)).toEqual(new Float32Array(3))
    expectClose(await slerp(new Float32Array(500), other, 1 / 3), combine([other], [Math.sin(Math.PI / 6)]))
    expect(slerpCoefficients(0.5, { aa: 1e-16, bb: 1e-16, ab: 1e-16 })[0]).toBeCloseTo(Math.SQRT1_2, 12)
  })

  it('interpolates tensors of one element linearly', async () => {
    expect(
      await mergeArrays('slerp', {
        shape: [],
        base: Float32Array.of(4),
        models: [Float32Array.of(-8)],
        parameters: { t: 0.25 },
      }),
    ).toEqual(Float32Array.of(1))
    expect(await slerp(Float32Array.of(4), Float32Array.of(-8), 0.5)).toEqual(Float32Array.of(-2))
    expect(await slerp(Float32Array.of(0), Float32Array.of(5), 0.5)).toEqual(Float32Array.of(2.5))
  })

  it('names the tensor where lengths are undefined', async () => {
    const merging = mergeArrays('slerp', {
      base,
      models: [other.map((x, i) => (i === 7 ? NaN : x))],
      parameters: { t: 0.5 },
      tensorName: 'lm_head.weight',
    })
    await expect(merging).rejects.toMatchObject({
      issue: { code: 'not-finite', tensor: 'lm_head.weight', model: 0, name: 'model 1' },
    })
  })

  it('needs a base, one other model and t', async () => {
    await expect(mergeArrays('slerp', { models: [other], parameters: { t: 0.5 } })).rejects.toMatchObject({
      code: 'base-required',
    })
    await expect(mergeArrays('slerp', { base, models: [other, other], parameters: { t: 0.5 } })).rejects.toMatchObject({
      code: 'model-count',
    })
    await expect(mergeArrays('slerp', { base, models: [other] })).rejects.toMatchObject({
      issue: { code: 'missing-parameter', parameter: 't' },
    })
  })
})
