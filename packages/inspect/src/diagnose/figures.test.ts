import { describe, expect, it } from 'vitest'
import type { Gram } from '../measure/gram.ts'
import { withTensors } from '../measure/gram-sums.ts'
import { addParts, describeFigures, type MeasuredPart } from './figures.ts'

/** A tensor whose sums are these: of base and one model, Σ c², Σ (x − c)·c, Σ (x − c)². */
function partOf(
  sums: readonly number[],
  others: readonly (readonly number[])[] = [],
  labels = ['c', 'x'],
): MeasuredPart {
  const complete = (each: readonly number[]) => withTensors(Float64Array.from(each), labels.length, true)
  const gram: Gram = {
    elementCount: 10,
    readElements: others.length > 0 ? 5 : 10,
    values: complete(sums),
    replicates: others.map(complete),
    nonFinite: [0, 1],
  }
  return { labels, hasBase: true, gram }
}

describe('parts of equal inputs', () => {
  const whole = partOf([1, 2, 3])
  const sampled = partOf(
    [4, 5, 6],
    [
      [7, 8, 9],
      [10, 11, 12],
    ],
  )

  it.each([
    ['first', [sampled, whole]],
    ['last', [whole, sampled]],
  ] as const)('are added up, also where what was read in part comes %s', (_, parts) => {
    const [total, ...others] = addParts(parts)
    expect(others).toEqual([])
    expect(total).toMatchObject({ labels: ['c', 'x'], hasBase: true })
    const { elementCount, readElements, nonFinite, values, replicates } = total!.gram
    expect({ elementCount, readElements, nonFinite }).toEqual({ elementCount: 20, readElements: 15, nonFinite: [0, 2] })
    expect(values).toEqual(partOf([5, 7, 9]).gram.values)
    expect(replicates).toEqual([partOf([8, 10, 12]).gram.values, partOf([11, 13, 15]).gram.values])
  })

  it('are apart from those of others, or in another order', () => {
    const others = [partOf([1, 1, 1], [], ['c', 'y']), partOf([1, 1, 1], [], ['x', 'c'])]
    expect(addParts([whole, ...others])).toEqual([whole, ...others])
    const alone = { ...whole, hasBase: false }
    expect(addParts([whole, alone])).toEqual([whole, alone])
  })
})

describe('figures', () => {
  it('are of all tensors that a model has a part in, whatever the others are made of', () => {
    const { models, weights, weightStandardErrors, replicates } = describeFigures([
      partOf([16, 0, 9]),
      partOf([9, 0, 7], [], ['c', 'x']),
      partOf([9, 0, 1], [], ['c', 'y']),
    ])
    expect(models).toEqual([
      {
        model: 'x',
        elementCount: 20,
        norm: Math.sqrt(16 + 9 + 9 + 7),
        change: 4,
        relative: 4 / 5,
        cosine: 25 / Math.sqrt(41 * 25),
        nonFinite: 2,
        standardErrors: null,
      },
      {
        model: 'y',
        elementCount: 10,
        norm: Math.sqrt(10),
        change: 1,
        relative: 1 / 3,
        cosine: 9 / Math.sqrt(90),
        nonFinite: 1,
        standardErrors: null,
      },
    ])
    expect({ weights, weightStandardErrors, replicates }).toEqual({
      weights: { x: 0.2, y: 0.8 },
      weightStandardErrors: null,
      replicates: [],
    })
  })

  it('have weights of three digits, only where there are several models and each changes something', () => {
    const of = (...squares: readonly number[]) =>
      describeFigures(squares.map((square, index) => partOf([1, 0, square], [], ['c', `x${index}`]))).weights
    expect(of(1, 4)).toEqual({ x0: 0.667, x1: 0.333 })
    expect(of(1)).toBeNull()
    expect(of(1, 0)).toBeNull()
  })

  it('are off by as much as the replicates differ, 0 where a model was read whole', () => {
    const { models, weights, weightStandardErrors, replicates } = describeFigures([
      partOf(
        [16, 0, 9],
        [
          [16, 0, 9],
          [16, 0, 16],
        ],
      ),
      partOf([16, 0, 9], [], ['c', 'y']),
    ])
    const error = Math.sqrt(15 / 16)
    expect(replicates.map((each) => each.models.map(({ change }) => change))).toEqual([
      [3, 3],
      [4, 3],
    ])
    expect(models[0]!.standardErrors).toEqual({
      norm: expect.closeTo((Math.sqrt(32) - 5) * error, 10),
      change: expect.closeTo(error, 10),
      relative: expect.closeTo(error / 4, 10),
      cosine: expect.closeTo((4 / 5 - Math.SQRT1_2) * error, 10),
    })
    expect(models[1]!.standardErrors).toEqual({ norm: 0, change: 0, relative: 0, cosine: 0 })
    expect(weights).toEqual({ x: 0.5, y: 0.5 })
    expect(weightStandardErrors).toEqual({
      x: expect.closeTo((1 / 2 - 3 / 7) * error, 10),
      y: expect.closeTo((4 / 7 - 1 / 2) * error, 10),
    })
  })
})
