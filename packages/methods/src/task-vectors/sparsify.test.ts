import { describe, expect, it } from 'vitest'
import { expectClose, expectSame, noise } from '../__fixtures__/arrays.ts'
import { findMethod } from '../check/find-method.ts'
import { mergeArrays, type MergeArraysRequest } from '../merge-arrays.ts'

const rows = 2000
const columns = 64
const n = rows * columns
const base = new Float32Array(n)
const delta = noise(n, 1).map((v, i) => v || (i + 1) * 1e-6)
const thin = (
  name: string,
  parameters: Record<string, unknown>,
  request: Partial<Omit<MergeArraysRequest, 'dtype'>> = {},
): Promise<Float32Array> =>
  mergeArrays(findMethod(name), {
    shape: [rows, columns],
    base,
    models: [delta],
    ...request,
    parameters: { weight: 1, rescale: false, ...parameters },
  })

const keptCount = (values: Float32Array): number => values.reduce((count, v) => count + (v === 0 ? 0 : 1), 0)
const deviations = (count: number, trials: number, p: number): number =>
  Math.abs(count - trials * p) / Math.sqrt(trials * p * (1 - p))
const l1 = (x: Float32Array): number => x.reduce((sum, v) => sum + Math.abs(v), 0)

describe('random sparsification', () => {
  it.each([
    ['dare_linear', 0.1],
    ['dare_linear', 0.53],
    ['dare_linear', 0.9],
    ['della_linear', 0.3],
    ['della_linear', 0.53],
  ])('%s keeps a share of density %d, within 3 σ, and changes nothing that it keeps', async (name, density) => {
    const merged = await thin(name, { density })
    expect(deviations(keptCount(merged), n, density)).toBeLessThan(3)
    expect(merged.every((v, i) => v === 0 || v === delta[i])).toBe(true)
  })

  it('della keeps by rank in the row: density − ε for the smallest to density + ε for the largest', async () => {
    const merged = await thin('della_linear', { density: 0.6, epsilon: 0.3 })
    const keptByRank = new Float64Array(columns)
    for (let row = 0; row < rows; row++) {
      const order = Array.from({ length: columns }, (_, c) => row * columns + c).toSorted(
        (i, j) => Math.abs(delta[i]!) - Math.abs(delta[j]!),
      )
      order.forEach((i, rank) => (keptByRank[rank]! += merged[i] === 0 ? 0 : 1))
    }
    const worst = keptByRank.map((count, rank) => deviations(count, rows, 0.3 + (0.6 * rank) / (columns - 1)))
    expect(Math.max(...worst)).toBeLessThan(4)
    expect(worst.filter((deviation) => deviation > 2).length).toBeLessThan(columns / 8)
  })

  it('della has the smaller of two kept with density − ε, and the larger with density + ε', async () => {
    const merged = await thin('della_linear', { density: 0.6, epsilon: 0.3 }, { shape: [n / 2, 2] })
    const kept = [0, 0]
    for (let i = 0; i < n; i += 2) {
      const smaller = Math.abs(delta[i]!) <= Math.abs(delta[i + 1]!) ? i : i + 1
      kept[0]! += merged[smaller] === 0 ? 0 : 1
      kept[1]! += merged[2 * i + 1 - smaller] === 0 ? 0 : 1
    }
    expect(deviations(kept[0]!, n / 2, 0.3)).toBeLessThan(3)
    expect(deviations(kept[1]!, n / 2, 0.9)).toBeLessThan(3)
  })

  it('della takes the last axis of any shape as its rows, and density itself for rows of one element', async () => {
    const parameters = { density: 0.6, epsilon: 0.3 }
    expectSame(
      await thin('della_linear', parameters, { shape: [20, 100, columns] }),
      await thin('della_linear', parameters),
    )
    expect(deviations(keptCount(await thin('della_linear', parameters, { shape: [n, 1] })), n, 0.6)).toBeLessThan(3)
  })

  it.each(['dare_linear', 'della_linear'])('%s restores the L1 norm', async (name) => {
    expect(l1(await thin(name, { density: 0.4, rescale: true })) / l1(delta)).toBeCloseTo(1, 6)
  })

  it.each(['dare_linear', 'dare_ties'])('%s divides what is kept by q, whatever rescale says', async (name) => {
    const plain = await thin(name, { density: 0.25, rescale: false })
    for (const rescale of [true, false]) {
      const divided = await thin(name, { density: 0.25, q: 0.5, rescale })
      expectSame(
        divided,
        plain.map((value) => value * 2),
      )
    }
    expectSame(
      await thin(name, { density: 1, q: 0.5 }),
      delta.map((value) => value * 2),
    )
  })

  it('takes a q for each model, and restores the norm of those that have none', async () => {
    const request = { base, models: [delta, delta], tensorName: 'tensor' }
    const of = (parameters: Record<string, number | number[]>) =>
      mergeArrays('dare_linear', { ...request, parameters: { density: 0.5, ...parameters } })
    const both = await of({ weight: 1, q: [0.8, 0] })
    const [first, second] = [await of({ weight: [1, 0], q: 0.8 }), await of({ weight: [0, 1] })] as const
    expectClose(
      both,
      first.map((value, i) => value + second[i]!),
    )
  })

  it('refuses a q below 0', async () => {
    await expect(thin('dare_linear', { density: 0.5, q: -0.5 })).rejects.toMatchObject({
      issue: { code: 'invalid-parameter', parameter: 'q', expected: 'a number of at least 0' },
    })
  })

  it.each(['dare_ties', 'della'])('%s gives the same bytes for the same seed', async (name) => {
    expectSame(await thin(name, { density: 0.4 }, { seed: 7 }), await thin(name, { density: 0.4 }, { seed: 7 }))
  })

  it('draws anew for another seed, tensor or model', async () => {
    const one = await thin('dare_linear', { density: 0.5 })
    const both = async (other: Promise<Float32Array>): Promise<number> => {
      const values = await other
      return one.reduce((count, v, i) => count + (v !== 0 && values[i] !== 0 ? 1 : 0), 0)
    }
    const secondModel = mergeArrays('dare_linear', {
      base,
      models: [base, delta],
      parameters: { weight: 1, density: 0.5, rescale: false },
    })
    for (const other of [
      thin('dare_linear', { density: 0.5 }, { seed: 1 }),
      thin('dare_linear', { density: 0.5 }, { tensorName: 'other' }),
      secondModel,
    ]) {
      expect(deviations(await both(other), n, 0.25)).toBeLessThan(3)
    }
  })
})

describe('sparsification by magnitude', () => {
  it('keeps exactly int(density · n) elements, those that come first where many are equal', async () => {
    const flat = new Float32Array(n).fill(0.5)
    const merged = await mergeArrays('ties', { base, models: [flat], parameters: { weight: 1, density: 0.3 } })
    const k = Math.trunc(0.3 * n)
    expectSame(
      merged,
      flat.map((v, i) => (i < k ? v : 0)),
    )
  })

  it('breadcrumbs keeps as many with as without outliers', async () => {
    for (const gamma of [0, 0.01, 0.9])
      expect(keptCount(await thin('breadcrumbs', { density: 0.3, gamma }))).toBe(Math.trunc(0.3 * n))
  })

  it('density 1 prunes nothing, outliers included', async () => {
    expectSame(await thin('breadcrumbs', { density: 1, gamma: 0.1 }), delta)
  })
})
