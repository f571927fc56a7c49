import { describe, expect, it } from 'vitest'
import type { Difference } from '../measure/describe-difference.ts'
import type { TensorDiff } from './model-diff.ts'
import { judgeDiff, percent } from './verdict.ts'

const models = { a: 'A', b: 'B', base: 'C' }
const difference = (more: Partial<Difference> = {}): Difference => ({
  elementCount: 8,
  changed: 1,
  largest: 1,
  mean: 1,
  normA: 1,
  normB: 1,
  norm: 1,
  relative: 0.05,
  cosine: 1,
  nonFinite: { a: 0, b: 0 },
  ...more,
})
const tensor = (name: string, { relative = 0.05, ...more }: Partial<TensorDiff & Difference> = {}): TensorDiff => ({
  name,
  kind: name,
  state: 'compared',
  shape: {},
  dtype: { a: 'F32', b: 'F32' },
  difference: difference({ relative, ...more }),
  ...more,
})

const rounding = 2 ** -9

describe('a verdict', () => {
  it.each<[string, string, Partial<Difference>, string]>([
    ['rounding', 'the half of a step of bfloat16, in other dtypes', { relative: rounding }, 'BF16'],
    ['close', 'more than that', { relative: rounding * 1.0001 }, 'BF16'],
    ['close', 'the same in one dtype', { relative: rounding }, 'F32'],
    ['close', 'a tenth', { relative: 0.1 }, 'F32'],
    ['apart', 'more than a tenth', { relative: 0.1001 }, 'F32'],
    ['apart', 'nearly the norm', { relative: 0.9999 }, 'F32'],
    ['unrelated', 'the norm', { relative: 1 }, 'F32'],
    ['apart', 'a cosine of a half', { relative: 0.2, cosine: 0.5 }, 'F32'],
    ['unrelated', 'a cosine of less', { relative: 0.2, cosine: 0.4999 }, 'F32'],
    ['unrelated', 'no cosine', { relative: 0.2, cosine: null }, 'F32'],
    ['equal', 'nothing, in other dtypes', { changed: 0, relative: 0 }, 'BF16'],
    ['identical', 'nothing', { changed: 0, relative: 0 }, 'F32'],
  ])('is %s where models differ by %s', (kind, _, total, dtype) => {
    expect(judgeDiff(models, difference(total), [tensor('w', { dtype: { a: 'F32', b: dtype } })]).kind).toBe(kind)
  })

  it('has a number where there is one', () => {
    const textOf = (relative: number | null) => judgeDiff(models, difference({ relative }), [tensor('w')]).text
    expect(textOf(0.05)).toBe('B is close to A, as fine-tunes of one model are: it differs by 5 % of its norm')
    expect(textOf(null)).toContain('they differ by from nothing to something of the norm')
    expect([0, 0.123_456, 1, 0.000_123_456].map(percent)).toEqual(['0 %', '12.3 %', '100 %', '0.0123 %'])
  })
})

describe('notes of a verdict', () => {
  const notesOf = (total: Partial<Difference>, tensors: readonly TensorDiff[]) =>
    judgeDiff(models, difference(total), tensors).notes

  it('name three tensors, and count the others', () => {
    const lacking = (length: number) =>
      Array.from({ length }, (_, index) => tensor(`w${index}`, { state: 'only-b', dtype: { b: 'F32' } }))
    expect(notesOf({}, lacking(3))).toEqual(['3 tensors of B alone: w0, w1, w2'])
    expect(notesOf({}, lacking(5))).toEqual(['5 tensors of B alone: w0, w1, w2, and 2 more'])
  })

  it('count what is not finite, by model', () => {
    expect(notesOf({ nonFinite: { a: 1, b: 0 } }, [tensor('w')])).toEqual([
      '1 element of A are infinite or NaN, and counted as 0',
    ])
    expect(notesOf({ nonFinite: { a: 0, b: 2 } }, [tensor('w')])).toEqual([
      '2 elements of B are infinite or NaN, and counted as 0',
    ])
  })

  it('tell which tensors are equal and which have changed most, where there are several', () => {
    const same = tensor('same', { changed: 0, relative: 0 })
    const some = [0.01, 0.3, 0.02, 0.2].map((relative, index) => tensor(`w${index}`, { relative }))
    expect(notesOf({}, [same, ...some, tensor('new', { relative: null })])).toEqual([
      '1 of 6 tensors are equal in every element',
      'most changed: w1 by 30 %, w3 by 20 %, w2 by 2 %',
    ])
    expect(notesOf({ changed: 0 }, [same, same])).toEqual([])
    expect(notesOf({}, some.slice(0, 1))).toEqual([])
  })

  it('have the changes to a base, as far as there are any', () => {
    const changes = { relativeA: 0.1, relativeB: 0.2, cosine: 0.25, conflicts: 0.3, overlap: 0.4 }
    expect(notesOf({ changes }, [tensor('w')])).toEqual([
      'of the base, A changes 10 % and B 20 % of the norm; the two changes have a cosine of 0.250, opposite signs in 30 % of the elements that both change, and share 40 % of their largest ones',
    ])
    const none = { relativeA: null, relativeB: null, conflicts: null, overlap: null }
    expect(notesOf({ changes: { ...changes, ...none } }, [tensor('w')])).toEqual([
      'of the base, A changes 0 % and B 0 % of the norm; the two changes have a cosine of 0.250, opposite signs in 0 % of the elements that both change, and share 0 % of their largest ones',
    ])
    expect(notesOf({ changes: { ...changes, cosine: null } }, [tensor('w')])).toEqual([])
  })
})
