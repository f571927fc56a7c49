import { describe, expect, it } from 'vitest'
import { SAMPLE_GROUPS } from '../measure/sample-blocks.ts'
import type { DiagnosedModel, DiagnosedPair } from './diagnosis.ts'
import { findFindings, listUndecided } from './findings.ts'

type Found = Parameters<typeof findFindings>[0]

const modelOf = (model: string, more: Partial<DiagnosedModel> = {}): DiagnosedModel => ({
  model,
  elementCount: 8,
  norm: 1,
  change: 1,
  relative: 1,
  cosine: 1,
  nonFinite: 0,
  standardErrors: null,
  ...more,
})
const pairOf = (x: string, y: string, more: Partial<DiagnosedPair> = {}): DiagnosedPair => ({
  models: [x, y],
  apart: 1,
  cosine: 1,
  changes: null,
  standardErrors: null,
  ...more,
})
const named = (length: number) => ['x', 'y', 'z', 'u'].slice(0, length)
/** Fine-tunes that change a base by so much. */
const fineTunes = (...changes: readonly (number | null)[]): Found => ({
  base: 'c',
  models: changes.map((change, index) => modelOf(named(4)[index]!, { change })),
  pairs: [],
})
const withPair = (pair: Partial<DiagnosedPair>, found = fineTunes(1, 1)): Found => ({
  ...found,
  pairs: [pairOf('x', 'y', pair)],
})
/** Models without a base, and how far x y, x z, y z, x u, y u and z u are apart. */
function models(...aparts: readonly number[]): Found {
  const count = aparts.length === 1 ? 2 : aparts.length === 3 ? 3 : 4
  const pairs = named(count).flatMap((y, index) => named(index).map((x) => [x, y] as const))
  return {
    base: null,
    models: named(count).map((model) => modelOf(model, { change: null, cosine: null })),
    pairs: pairs.map(([x, y], index) => pairOf(x, y, { apart: aparts[index]! })),
  }
}

const textsOf = (found: Found, isEstimate = false) => findFindings(found, isEstimate).map(({ text }) => text)
const codesOf = (found: Found) => findFindings(found, false).map(({ code, models: of }) => [code, ...of].join(' '))

describe('findings', () => {
  it('count what is not finite', () => {
    const found = { ...fineTunes(1), models: [modelOf('x', { nonFinite: 1 }), modelOf('y')] }
    expect(textsOf(found)).toEqual(['x has 1 element that are infinite or NaN'])
    expect(textsOf(found, true)).toEqual(['x has at least 1 element that are infinite or NaN'])
  })

  it('tell near-duplicates by the smaller change, or without a base by their norm', () => {
    expect(codesOf(withPair({ apart: 0.124 }, fineTunes(1.25, 2)))).toEqual(['near-duplicate x y'])
    expect(codesOf(withPair({ apart: 0.125 }, fineTunes(1.25, 2)))).toEqual([])
    const large = { ...fineTunes(1, 1), models: ['x', 'y'].map((model) => modelOf(model, { norm: 2 })) }
    expect(codesOf(withPair({ apart: 0.06 }, large))).toEqual([])
    expect(textsOf(withPair({ apart: 0.04 }, large), true)).toEqual([
      'x and y are nearly equal (apart by about 4 % of their norm): together they count about twice',
    ])
    expect(codesOf(models(1e-3))).toEqual([])
    expect(codesOf(models(0.9e-3))).toEqual(['near-duplicate x y'])
    for (const cosine of [0, null]) expect(codesOf(withPair({ apart: 0.01, cosine }))).toEqual([])
    expect(codesOf(withPair({ apart: null }))).toEqual([])
  })

  it('tell models of another origin by a cosine of less than a half', () => {
    const of = (cosine: number | null) => ({ ...fineTunes(1), models: [modelOf('x', { cosine })] })
    for (const cosine of [null, 0.5]) expect(codesOf(of(cosine))).toEqual([])
    expect(textsOf(of(0.4987))).toEqual([
      'x was not made from c, as far as weights tell (cosine 0.50): its change is no task vector',
    ])
    expect(textsOf(of(-0.25), true)[0]).toContain('(cosine about -0.25)')
    expect(textsOf({ ...models(1), pairs: [pairOf('x', 'y', { cosine: 0.125 })] })).toEqual([
      'x and y were not made from one model, as far as weights tell (cosine 0.13): a mean of them is neither',
    ])
  })

  it('tell a change of three times the median of the others, and of a third of it', () => {
    expect(textsOf(fineTunes(1, 3))).toEqual([
      'y changes the base 3 times as far as the other: with equal weights it decides',
    ])
    expect(codesOf(fineTunes(1, 2.99))).toEqual([])
    expect(codesOf(fineTunes(6, 1.5, 2.5))).toEqual(['dominates x'])
    expect(codesOf(fineTunes(5.99, 1.5, 2.5))).toEqual([])
    expect(codesOf(fineTunes(4, 9, 1, 2))).toEqual(['dominates y', 'hardly-counts z'])
    expect(textsOf(fineTunes(1, 3, 3), true)).toEqual([
      'x changes the base about 0.33 times as far as the others: with equal weights little of it is left',
    ])
    expect(codesOf(fineTunes(1.01, 3, 3))).toEqual([])
    expect(codesOf(fineTunes(null, 1, 9))).toEqual(['dominates z'])
    expect(codesOf(fineTunes(0, 0, 1))).toEqual(['as-base x', 'as-base y'])
  })

  it('tell a model that is three times as far from the others as these are from one another', () => {
    expect(textsOf(models(1, 3, 3.5))).toEqual(['z is 3 times as far from the others as they are from one another'])
    expect(codesOf(models(1, 2.99, 3.5))).toEqual([])
    // Of the others the median.
    expect(codesOf(models(1, 2, 9, 6, 7, 8))).toEqual(['outlier u'])
    expect(codesOf(models(1, 2, 9, 5.99, 7, 8))).toEqual([])
    expect(textsOf(models(0, 1, 1), true)).toEqual([
      'x and y are equal: together they count twice',
      'z is far from the others as they are from one another',
    ])
    expect(codesOf(models(0, 0, 0)).filter((code) => code.startsWith('outlier'))).toEqual([])
    expect(codesOf({ ...models(1, 3, 3.5), base: 'c' })).toEqual([])
  })

  it('tell changes that have opposite signs more often than by chance', () => {
    const of = (conflicts: number | null, cosine: number | null) => withPair({ changes: { conflicts, cosine } })
    expect(textsOf(of(0.55, -0.1))).toEqual([
      'x and y change the base in opposite directions in 55 % of the elements (half is chance): ties, or another method that elects a sign, keeps one of them',
    ])
    for (const [conflicts, cosine] of [
      [0.549, -0.1],
      [0.6, 0],
      [0.6, null],
      [null, -0.1],
    ] as const)
      expect(codesOf(of(conflicts, cosine))).toEqual([])
  })
})

/** What an estimate leaves open whose replicates have other figures: their standard error is √15 times what each is off by. */
const undecided = (found: Found, replicate: Pick<Found, 'models' | 'pairs'>) => [
  ...listUndecided(
    found,
    Array.from({ length: SAMPLE_GROUPS }, () => replicate),
  ),
]

describe('an estimate', () => {
  const near = 1 / 5 / Math.sqrt(15)

  it.each<[string, (off: number) => Found, number, string[]]>([
    ['near-duplicates of a base', (off) => withPair({ apart: 0.06 + off }), 0.04, ['x', 'y']],
    ['near-duplicates without one', (off) => models(2e-3 + off), 1e-3, ['x', 'y']],
    ['another origin', (off) => ({ ...fineTunes(1), models: [modelOf('x', { cosine: 0.6 + off })] }), 0.1, ['x']],
    ['one that dominates', (off) => fineTunes(1, 4 + off), 1, ['x', 'y']],
    ['one that hardly counts', (off) => fineTunes(8 / 15 + off, 1, 1), 1 / 5, ['x', 'y', 'z']],
    ['an outlier', (off) => models(1, 4 + off, 9), 1, ['x', 'y', 'z']],
    ['opposed signs', (off) => withPair({ changes: { conflicts: 0.65 + off, cosine: -1 } }), 0.1, ['x', 'y']],
    ['opposed directions', (off) => withPair({ changes: { conflicts: 1, cosine: -0.1 + off } }), 0.1, ['x', 'y']],
  ])('leaves %s open within five standard errors', (_, at, margin, open) => {
    expect(undecided(at(0), at(margin * near * 1.01)).toSorted()).toEqual(open)
    expect(undecided(at(0), at(margin * near * 0.99))).toEqual([])
    expect(undecided(at(0), at(0))).toEqual([])
  })

  it('leaves open what some of its replicates could not tell at all', () => {
    expect(undecided(withPair({ apart: 0.06 }), withPair({ apart: 0 }))).toEqual(['x', 'y'])
    expect(undecided(withPair({ apart: 0 }), withPair({ apart: 0.06 }))).toEqual([])
  })
})
