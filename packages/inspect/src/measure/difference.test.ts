import { expect, it } from 'vitest'
import { diff, inFolder, type Tensor, writeTensors } from '../__fixtures__/models.ts'
import type { Difference } from './describe-difference.ts'

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

it('has numbers for a tensor without elements', () =>
  inFolder(async (folder) => {
    const file = (name: string) =>
      writeTensors(folder, name, { none: { shape: [0, 4], values: [] }, w: { shape: [1], values: [2] } })
    const { tensors } = await diff(await file('a'), await file('b'), { base: await file('c') })
    expect(tensors[0]!.difference).toMatchObject({ elementCount: 0, changed: 0, mean: 0, relative: 0, cosine: null })
  }))
