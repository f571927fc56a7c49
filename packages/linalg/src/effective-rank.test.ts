import { describe, expect, it } from 'vitest'
import { random } from './__fixtures__/matrices.ts'
import { effectiveRank } from './effective-rank.ts'
import { createMatrix, multiply, scaleColumns, transpose } from './matrix.ts'
import { qr } from './qr.ts'

/** The Gram matrix of a matrix with these singular values. */
function gramOf(singular: readonly number[], seed = 1) {
  const { q } = qr(random(singular.length, singular.length, seed))
  return multiply(
    scaleColumns(
      q,
      singular.map((value) => value ** 2),
    ),
    transpose(q),
  )
}

function expected(singular: readonly number[]): number {
  const total = singular.reduce((sum, value) => sum + value, 0)
  const shares = singular.filter((value) => value > 0).map((value) => value / total)
  return Math.exp(-shares.reduce((sum, share) => sum + share * Math.log(share), 0))
}

const spectra: readonly (readonly [string, readonly number[]])[] = [
  ['one value', [3, ...Array.from({ length: 129 }, () => 0)]],
  ['equal values', Array.from({ length: 130 }, () => 0.01)],
  ['few values', [5, 4, 3, 2, 1, ...Array.from({ length: 125 }, () => 0)]],
  ['a few over many small ones', [90, 40, 10, ...Array.from({ length: 127 }, () => 0.5)]],
  ['values that fall slowly', Array.from({ length: 130 }, (_, i) => 1 / (1 + i))],
  ['values that fall evenly', Array.from({ length: 130 }, (_, i) => 130 - i)],
]

describe('the effective rank', () => {
  it.each(spectra.map(([name]) => name))('of %s is what they give, and is estimated within a fiftieth', (name) => {
    const [, singular] = spectra.find(([each]) => each === name)!
    const gram = gramOf(singular)
    const [exact, estimate] = [effectiveRank(gram), effectiveRank(gram, { mostExact: 100 })]
    expect(exact.isEstimate).toBe(false)
    expect(exact.rank / expected(singular)).toBeCloseTo(1, 6)
    expect(estimate.isEstimate).toBe(true)
    expect(Math.abs(estimate.rank / expected(singular) - 1)).toBeLessThan(0.02)
  })

  it('is estimated alike by the same seed, and from other vectors by another', () => {
    const gram = gramOf(Array.from({ length: 80 }, (_, i) => 1 / (1 + i)))
    const by = (seed: number) => effectiveRank(gram, { mostExact: 0, seed }).rank
    expect(by(1)).toBe(by(1))
    expect(by(1)).not.toBe(by(2))
  })

  it('of zeros is 0, of a number 1, also where they are estimated', () => {
    for (const mostExact of [1024, 0]) {
      expect(effectiveRank(createMatrix(70, 70), { mostExact }).rank).toBe(0)
      expect(effectiveRank(createMatrix(1, 1, Float64Array.of(4)), { mostExact }).rank).toBeCloseTo(1, 12)
    }
    expect(effectiveRank(createMatrix(0, 0)).rank).toBe(0)
  })

  it('takes what is far below the largest value for noise', () => {
    expect(effectiveRank(gramOf([1, 1, 1e-5, 1e-6])).rank).toBeCloseTo(2, 6)
  })

  it('refuses what is not finite', () => {
    const gram = createMatrix(80, 80)
    gram.values[3] = Number.NaN
    for (const mostExact of [1024, 0])
      expect(() => effectiveRank(gram, { mostExact })).toThrow(expect.objectContaining({ code: 'matrix-not-finite' }))
  })
})
