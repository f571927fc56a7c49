import { openStreams } from '@mk/merge'
import { expect, it } from 'vitest'
import { countPasses } from '../__fixtures__/count-passes.ts'
import { diff, inFolder, type Tensor, wasm, writeTensors } from '../__fixtures__/models.ts'
import { pairTensors } from '../diff/pair-tensors.ts'
import { prepareDiff } from '../diff/prepare-diff.ts'
import type { Difference } from './describe-difference.ts'
import { measureDifference } from './difference.ts'

const random = (seed: number) => (index: number) => Math.sin(seed * 7919 + index * (index % 13) + seed * index)
const bf16 = (values: Float32Array) =>
  Float32Array.from(values, (value) => {
    const bits = new Uint32Array(Float32Array.of(value).buffer)
    bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000
    return new Float32Array(bits.buffer)[0]!
  })

/** What the numbers are, computed plainly. */
function plainly(a: Float32Array, b: Float32Array, c: Float32Array | undefined, topShare: number): Difference {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    Array.from(x).reduce((sum, value, index) => sum + value * y[index]!, 0)
  const minus = (x: Float32Array, y: Float32Array) => x.map((value, index) => value - y[index]!)
  const d = minus(b, a)
  const norm = (x: Float32Array) => Math.sqrt(dot(x, x))
  const largest = (x: Float32Array) => {
    const order = [...x.keys()].toSorted((one, other) => Math.abs(x[other]!) - Math.abs(x[one]!))
    return new Set(order.slice(0, Math.ceil(topShare * x.length)))
  }
  const changesOf = (base: Float32Array) => {
    const [da, db] = [minus(a, base), minus(b, base)]
    const both = [...da.keys()].filter((index) => da[index] !== 0 && db[index] !== 0)
    const [topA, topB] = [largest(da), largest(db)]
    return {
      relativeA: norm(da) / norm(base),
      relativeB: norm(db) / norm(base),
      cosine: dot(da, db) / norm(da) / norm(db),
      conflicts: both.filter((index) => da[index]! > 0 !== db[index]! > 0).length / both.length,
      overlap: [...topA].filter((index) => topB.has(index)).length / topA.size,
    }
  }
  return {
    elementCount: a.length,
    changed: d.filter((value) => value !== 0).length / a.length,
    largest: Math.max(...d.map(Math.abs)),
    mean: d.reduce((sum, value) => sum + Math.abs(value), 0) / a.length,
    normA: norm(a),
    normB: norm(b),
    norm: norm(d),
    relative: norm(d) / norm(a),
    cosine: dot(a, b) / norm(a) / norm(b),
    nonFinite: { a: 0, b: 0 },
    ...(c && { changes: changesOf(c) }),
  }
}

/** Numbers to five digits, whatever depth they are at. */
const rounded = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'number' ? Number(each.toFixed(5)) : each)))

function expectNear(found: Difference, expected: Difference): void {
  expect(rounded(found)).toEqual(rounded(expected))
}

it('gives the numbers that plain arithmetic gives, of both models and of what they change', () =>
  inFolder(async (folder) => {
    const count = 3 * 1000
    const of = (change: (index: number) => number) =>
      bf16(Float32Array.from({ length: count }, (_, index) => random(1)(index) + change(index)))
    const base = of(() => 0)
    const a = of((index) => (index % 3 === 0 ? 0.1 * random(2)(index) : 0))
    const b = of((index) => (index % 2 === 0 ? 0.1 * random(3)(index) + 0.05 * random(2)(index) : 0))
    const file = (name: string, values: Float32Array, dtype: Tensor['dtype']) =>
      writeTensors(folder, name, { w: { dtype: dtype!, shape: [count / 3, 3], values: [...values] } })
    const [fileA, fileB, fileC] = [await file('a', a, 'BF16'), await file('b', b, 'F32'), await file('c', base, 'BF16')]

    const { tensors, total, models } = await diff(fileA, fileB, { base: fileC, topShare: 0.1 })
    expect(models).toEqual({ a: fileA, b: fileB, base: fileC })
    const expected = plainly(a, b, base, 0.1)
    const { overlap } = tensors[0]!.difference!.changes!
    expectNear(tensors[0]!.difference!, { ...expected, changes: { ...expected.changes!, overlap } })
    // Thresholds have eight bits.
    expect(overlap).toBeCloseTo(expected.changes!.overlap!, 1)
    expect(total).toEqual(tensors[0]!.difference)
  }))

it('takes what is not finite for 0, and counts it', () =>
  inFolder(async (folder) => {
    const file = (name: string, values: number[]) => writeTensors(folder, name, { w: { shape: [4], values } })
    const [a, b] = [await file('a', [1, Number.NaN, 3, Infinity]), await file('b', [1, Number.NaN, 5, 4])]
    const { total, verdict } = await diff(a, b)
    expect(total).toMatchObject({ changed: 0.5, largest: 2, mean: 0.5, norm: 2, nonFinite: { a: 2, b: 1 } })
    expect(verdict.notes.join()).toContain(`2 elements of ${a} are infinite or NaN`)
    expect((await diff(a, a)).verdict.kind).toBe('identical')
  }))

it('finds opposite signs whose product is too small for a float32, and few large changes in a large tensor', () =>
  inFolder(async (folder) => {
    const count = 2 ** 19
    const of = (name: string, values: (index: number) => number) =>
      writeTensors(folder, name, { w: { shape: [count], values } })
    const tiny = 1e-30
    const base = await of('base', () => 0)
    const a = await of('a', (index) => (index % 100 === 0 ? 1 : tiny))
    const b = await of('b', (index) => (index % 200 === 0 ? 1 : -tiny))
    const { total } = await diff(a, b, { base })
    expect(total.changes!.conflicts).toBeCloseTo(0.995, 5)
    // All that A changes most; of B half as many, and then what is next.
    expect(total.changes!.overlap).toBeGreaterThan(0)
  }))

it('finds signs of changes that are nearly too large for a float32, and none where one model changes nothing', () =>
  inFolder(async (folder) => {
    const of = (name: string, values: number[]) => writeTensors(folder, name, { w: { shape: [4], values } })
    const [base, a, b] = [
      await of('base', [0, 0, 0, 0]),
      await of('a', [1e18, 1e18, 1e18, 0]),
      await of('b', [-1e18, 1e-30, 0, 1e18]),
    ]
    expect((await diff(a, b, { base })).total.changes!.conflicts).toBe(0.5)
  }))

it('has numbers for tensors of no element, and of one', () =>
  inFolder(async (folder) => {
    const file = (name: string, value: number) =>
      writeTensors(folder, name, { none: { shape: [0, 4], values: [] }, w: { shape: [1], values: [value] } })
    const { tensors } = await diff(await file('a', 2), await file('b', -4), { base: await file('c', 1) })
    const common = { nonFinite: { a: 0, b: 0 } }
    expect(tensors.map(({ difference }) => difference)).toEqual([
      {
        ...common,
        elementCount: 0,
        changed: 0,
        largest: 0,
        mean: 0,
        normA: 0,
        normB: 0,
        norm: 0,
        relative: 0,
        cosine: null,
        changes: { relativeA: null, relativeB: null, cosine: null, conflicts: null, overlap: null },
      },
      {
        ...common,
        elementCount: 1,
        changed: 1,
        largest: 6,
        mean: 6,
        normA: 2,
        normB: 4,
        norm: 6,
        relative: 3,
        cosine: -1,
        changes: { relativeA: 1, relativeB: 5, cosine: -1, conflicts: 1, overlap: 1 },
      },
    ])
  }))

it('leaves out a single element that is not finite in one model, or in the base alone', () =>
  inFolder(async (folder) => {
    const file = (name: string, values: number[]) => writeTensors(folder, name, { w: { shape: [3], values } })
    const [fine, other, broken] = [
      await file('fine', [3, 4, 5]),
      await file('other', [6, 8, 5]),
      await file('broken', [6, 8, Infinity]),
    ]
    expect((await diff(fine, broken)).total).toMatchObject({ changed: 1, norm: 5, nonFinite: { a: 0, b: 1 } })
    expect((await diff(broken, fine)).total).toMatchObject({ changed: 1, norm: 5, nonFinite: { a: 1, b: 0 } })
    expect((await diff(fine, other, { base: broken })).total).toMatchObject({
      normA: 5,
      normB: 10,
      nonFinite: { a: 0, b: 0 },
      changes: { relativeA: 0.5, relativeB: 0, conflicts: null },
    })
  }))

it('takes for the largest changes those that are, and no others', () =>
  inFolder(async (folder) => {
    const file = (name: string, largest: readonly number[]) =>
      writeTensors(folder, name, { w: { shape: [100], values: (index) => (largest.includes(index) ? 1 : 0.6) } })
    const base = await writeTensors(folder, 'base', { w: { shape: [100], values: () => 0 } })
    const { total } = await diff(await file('a', [0, 1]), await file('b', [1, 2]), { base, topShare: 0.02 })
    expect(total.changes!.overlap).toBe(0.5)
  }))

it('has the size of a difference whose square is past float32, or 0 there, also of a single element', () =>
  inFolder(async (folder) => {
    const file = (name: string, values: number[]) => writeTensors(folder, name, { w: { shape: [2], values } })
    for (const size of [1e25, 1e-30]) {
      const { total } = await diff(await file('a', [0, 1]), await file('b', [size, 1]))
      expect(total.norm / Math.fround(size)).toBeCloseTo(1, 6)
    }
  }))

it.each([
  ['ordinary numbers', 1, 0, 1],
  ['NaN', 1, NaN, 3],
  ['squares that are past float32', 1e25, 0, 4],
])('reads no more often than it has to: %s', (_, size, other, passes) =>
  inFolder(async (folder) => {
    const file = (name: string, values: number[]) => writeTensors(folder, name, { w: { shape: [3], values } })
    const [a, b] = [await file('a', [size, 0, 0]), await file('b', [0, size, other])]
    const { inputs, places } = await prepareDiff({ a, b }, {})
    const [pair] = pairTensors(inputs, places)
    const streams = await openStreams({ threads: 0, runtime: wasm })
    const counting = countPasses(streams)
    const request = { shape: [3], a: pair!.a!, b: pair!.b!, topShare: 0.01, effectiveRank: false }
    await measureDifference(counting, request)
    await streams.close()
    expect(counting.passCount()).toBe(passes)
  }),
)
