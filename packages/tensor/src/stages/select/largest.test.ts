import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createArraySession } from '../array-session.ts'
import { CHUNK_ELEMENTS, planChunks } from '../chunks.ts'
import { createSession } from '../create-session.ts'
import { encode } from '../../numbers/dtypes.ts'
import { abs, before, input, type Mask, select, sub } from '../../language/operations.ts'
import { uniformAt } from '../../numbers/random.ts'
import { createReferenceRuntime } from '../../reference/reference-runtime.ts'
import type { Stage } from '../stage.ts'
import { sampleRanges } from './sample-ranges.ts'

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
const value = abs(input(0))

/** The masks of the k largest by sorting: by size, then by index. */
function expectedMasks(values: Float32Array): (k: number) => Uint8Array {
  const order = Uint32Array.from(values.keys()).sort((i, j) => Math.abs(values[j]!) - Math.abs(values[i]!) || i - j)
  return (k) => {
    const mask = new Uint8Array(values.length)
    for (const i of order.subarray(0, k)) mask[i] = 1
    return mask
  }
}

async function maskOf(values: Float32Array, k: number): Promise<Uint8Array> {
  const session = createArraySession({ shape: [values.length], inputs: [{ dtype: 'F32', bytes: bytesOf(values) }] })
  const { mask } = await session.largest({ mask: { value, k } })
  return session.evaluate(select(mask, 1, 0), 'U8')
}

/** Stages of a tensor whose ranges come back in another order, with those of one group added up. */
function shuffledSession(values: Float32Array, stages: Stage[]) {
  const runtime = createReferenceRuntime()
  return createSession({
    shape: [values.length],
    inputDtypes: ['F32'],
    async runStage(stage, onResult) {
      stages.push(stage)
      const kernel = await runtime.compile(stage.program)
      const results = await Promise.all(
        stage.ranges.map(({ start, end }) =>
          kernel.run({
            elementCount: end - start,
            offset: start,
            columns: stage.columns,
            inputs: [bytesOf(values.subarray(start, end))],
            scalars: stage.scalars,
            vectors: stage.vectors,
            outputs: [],
          }),
        ),
      )
      for (let end = results.length; end > 0;) {
        const start = Math.floor((end - 1) / stage.groupSize) * stage.groupSize
        const [first, ...others] = results.slice(start, end)
        for (const other of others) other.forEach((array, o) => array.forEach((x, i) => (first![o]![i]! += x)))
        onResult(end - 1, first!)
        end = start
      }
    },
  })
}

/** How many times the tensor is read to find its largest elements. */
async function timesRead(values: Float32Array, density: number): Promise<number> {
  const stages: Stage[] = []
  await shuffledSession(values, stages).largest({ mask: { value, k: Math.floor(density * values.length) } })
  return (
    stages.flatMap(({ ranges }) => ranges).reduce((total, { start, end }) => total + end - start, 0) / values.length
  )
}

const made = new Map<number, Float32Array>()
/** Each seed stands for one sequence, which is made once as far as it was asked for. */
function normal(n: number, seed: number): Float32Array {
  const known = made.get(seed)
  if (known !== undefined && known.length >= n) return known.slice(0, n)
  const values = new Float32Array(n)
  const key = { high: seed, low: 7 }
  for (let i = 0; i < n; i++)
    values[i] =
      Math.sqrt(-2 * Math.log(1 - uniformAt(key, 2 * i))) * Math.cos(2 * Math.PI * uniformAt(key, 2 * i + 1)) * 0.02
  made.set(seed, values)
  return values.slice()
}
/** A difference of bf16 numbers: few distinct values, many zeros. */
const coarse = (n: number, seed: number) => normal(n, seed).map((x) => Math.round(x * 256) / 256)

describe('largest', () => {
  const special = Float32Array.of(0, -0, NaN, 1e-45, -1e-45, Infinity, 3, -3, -Infinity, NaN, 3.4e38, 0, 3)
  for (let k = -1; k <= special.length + 1; k++) {
    it(`keeps the ${k} largest of NaN, infinities, ties and zeros`, async () => {
      const order = [2, 9, 5, 8, 10, 6, 7, 12, 3, 4, 0, 1, 11]
      const mask = new Uint8Array(special.length)
      for (const i of order.slice(0, Math.max(0, k))) mask[i] = 1
      expect(await maskOf(special, k)).toEqual(mask)
    })
  }

  it.each([
    ['normal', normal],
    ['few distinct values', coarse],
  ] as const)('keeps exactly k of a small tensor: %s', async (_, make) => {
    const values = make(5000, 1)
    const expectedMask = expectedMasks(values)
    for (const k of [0, 1, 2, 50, 1000, 2500, 2501, 4000, 4999, 5000])
      expect(await maskOf(values, k)).toEqual(expectedMask(k))
  })

  it.each([
    ['normal', normal],
    ['few distinct values', coarse],
  ] as const)(
    'keeps exactly k of a large tensor: %s',
    async (_, make) => {
      const values = make(CHUNK_ELEMENTS * 4 + 333, 2)
      const expectedMask = expectedMasks(values)
      for (const density of [0.00001, 0.01, 0.3, 0.5, 0.9]) {
        const k = Math.floor(density * values.length)
        expect(Buffer.compare(await maskOf(values, k), expectedMask(k))).toBe(0)
      }
    },
    60_000,
  )

  it('keeps the first of NaNs that are in a later chunk', async () => {
    const values = new Float32Array(CHUNK_ELEMENTS * 2 + 5)
    const at = [3, 10, 11].map((i) => CHUNK_ELEMENTS + i)
    for (const i of at) values[i] = NaN
    const mask = await maskOf(values, 2)
    expect([...mask.entries()].flatMap(([i, kept]) => (kept ? [i] : []))).toEqual(at.slice(0, 2))
  })

  it('is the same whatever the order in which results come', async () => {
    const values = coarse(CHUNK_ELEMENTS * 6 + 11, 3)
    const k = Math.floor(0.4 * values.length)
    const straight = createArraySession({ shape: [values.length], inputs: [{ dtype: 'F32', bytes: bytesOf(values) }] })
    expect(await shuffledSession(values, []).largest({ mask: { value, k } })).toEqual(
      await straight.largest({ mask: { value, k } }),
    )
  })

  it('makes two passes over a large tensor, besides looking at a sample of at most a sixteenth', async () => {
    for (const values of [normal(CHUNK_ELEMENTS * 9, 4), coarse(CHUNK_ELEMENTS * 9, 4)]) {
      for (const density of [0.01, 0.2, 0.5, 0.7, 0.9])
        expect(await timesRead(values, density)).toBeLessThanOrEqual(2 + 3 / 16 + 2 / 9)
    }
  }, 60_000)

  it('makes one pass where the threshold is a value that many elements have', async () => {
    const values = coarse(CHUNK_ELEMENTS * 9, 4)
    const { length: zeros } = values.filter((x) => x === 0)
    expect(await timesRead(values, 1 - zeros / values.length / 2)).toBeLessThanOrEqual(1 + 3 / 16 + 2 / 9)
  }, 60_000)

  it('makes one pass for several thresholds that are all common values', async () => {
    const values = Float32Array.from(
      { length: CHUNK_ELEMENTS * 5 },
      (_, i) => 1 + ((i * 7919) % 10 >= 1 ? 1 : 0) + ((i * 7919) % 10 >= 4 ? 1 : 0),
    )
    const stages: Stage[] = []
    const n = values.length
    const ranks = [0.3 * n, 0.75 * n, 0.95 * n].map(Math.round)
    expect(await shuffledSession(values, stages).kthLargest(value, ranks)).toEqual([3, 2, 1])
    expect(stages.filter(({ ranges }) => ranges.length === 5)).toHaveLength(1)
  }, 60_000)

  it('finds thresholds that the sample does not show', async () => {
    const values = new Float32Array(CHUNK_ELEMENTS * 5).fill(1)
    for (let i = 0; i < 40; i++) values[i * 1000] = i % 2 ? 100 + i : -1e-30 * i
    const expectedMask = expectedMasks(values)
    for (const k of [3, 20, 21, 1000, values.length - 20, values.length - 10, values.length - 1]) {
      expect(Buffer.compare(await maskOf(values, k), expectedMask(k))).toBe(0)
    }
  }, 60_000)

  it('cuts ties among equal elements that span many groups of chunks', async () => {
    const values = new Float32Array(CHUNK_ELEMENTS * 300)
    const session = createArraySession({
      shape: [values.length],
      inputs: [{ dtype: 'I8', bytes: new Uint8Array(values.length).fill(5) }],
    })
    const k = CHUNK_ELEMENTS * 170 + 17
    const { mask } = await session.largest({ mask: { value, k } })
    expect(boundary(mask)).toBe(k)
  }, 60_000)

  it('shares the passes of all requests', async () => {
    const values = normal(CHUNK_ELEMENTS * 5, 5)
    const stages: Stage[] = []
    const half = values.length / 2
    await shuffledSession(values, stages).largest({
      a: { value, k: half },
      b: { value: abs(sub(input(0), 0.01)), k: half },
    })
    expect(stages.filter(({ ranges }) => ranges.length === 5)).toHaveLength(2)
  })

  it('refuses a k that is no number', async () => {
    const session = shuffledSession(new Float32Array(10), [])
    const refused = { code: 'number-range', issue: { what: 'k of most', value: Number.NaN } }
    await expect(session.largest({ most: { value, k: Number.NaN } })).rejects.toMatchObject(refused)
  })

  it('needs no pass for k = 0 and k = n', async () => {
    const stages: Stage[] = []
    const session = shuffledSession(new Float32Array(10), stages)
    expect(await session.largest({ none: { value, k: 0 }, all: { value, k: 10 } })).toEqual({
      none: before(0),
      all: before(10),
    })
    expect(stages).toHaveLength(0)
  })
})

it('keeps exactly k of any few elements', async () => {
  const element = fc.oneof(fc.float(), fc.constantFrom(0, -0, 1, -1, NaN, Infinity, 1e-45))
  await fc.assert(
    fc.asyncProperty(fc.array(element, { minLength: 1, maxLength: 12 }), fc.nat(12), async (list, k) => {
      const values = Float32Array.from(list)
      const size = (i: number) => (Number.isNaN(values[i]) ? 2 ** 200 : Math.min(Math.abs(values[i]!), 2 ** 199))
      const order = [...values.keys()].toSorted((i, j) => size(j) - size(i) || i - j).slice(0, k)
      expect(await maskOf(values, k)).toEqual(Uint8Array.from(values, (_, i) => Number(order.includes(i))))
    }),
    { seed: 1, numRuns: 60 },
  )
}, 30_000)

it('says so when a runner gives other values in each pass', async () => {
  const n = CHUNK_ELEMENTS
  let passes = 0
  const runtime = createReferenceRuntime()
  const session = createSession({
    shape: [n],
    inputDtypes: ['F32'],
    async runStage(stage, onResult) {
      const bytes = bytesOf(new Float32Array(n).fill(++passes))
      const kernel = await runtime.compile(stage.program)
      onResult(0, await kernel.run({ ...stage, elementCount: n, offset: 0, inputs: [bytes], outputs: [] }))
    },
  })
  await expect(session.largest({ mask: { value, k: 100 } })).rejects.toMatchObject({ code: 'unstable' })
  await expect(session.kthLargest(value, [100])).rejects.toMatchObject({ code: 'unstable' })
})

describe('kthLargest', () => {
  it.each([500, CHUNK_ELEMENTS * 5])('gives the numbers that sorting gives, of %d elements', async (n) => {
    const values = normal(n, 6)
    const sorted = values.map(Math.abs).toSorted().toReversed()
    const ranks = [1, 2, Math.floor(n / 4), n / 2, Math.floor(0.75 * n), n - 1, n]
    const session = createArraySession({ shape: [n], inputs: [{ dtype: 'F32', bytes: bytesOf(values) }] })
    expect(await session.kthLargest(value, ranks)).toEqual(ranks.map((rank) => sorted[rank - 1]))
  })

  it('makes one pass for several ranks of values that nearly all differ', async () => {
    const values = normal(CHUNK_ELEMENTS * 5, 7)
    const sorted = values.map(Math.abs).toSorted().toReversed()
    // The last two are so near that their windows overlap.
    for (const shares of [[0.25, 0.5, 0.75], [0.5], [0.2, 0.6, 0.601]]) {
      const ranks = shares.map((share) => Math.floor(share * values.length))
      const stages: Stage[] = []
      expect(await shuffledSession(values, stages).kthLargest(value, ranks)).toEqual(
        ranks.map((rank) => sorted[rank - 1]),
      )
      expect(stages.filter(({ ranges }) => ranges.length === 5)).toHaveLength(1)
    }
  })

  it('finds ranks where the sample misleads, beside some where it does not', async () => {
    const sampled = sampleRanges(planChunks(CHUNK_ELEMENTS * 5, CHUNK_ELEMENTS * 5))
    const values = normal(CHUNK_ELEMENTS * 5, 8)
    // What the sample sees of numbers under the median is half of what they are.
    for (const { start, end } of sampled)
      for (let i = start; i < end; i++) if (Math.abs(values[i]!) < 0.013) values[i]! /= 2
    const sorted = values.map(Math.abs).toSorted().toReversed()
    const ranks = [0.25, 0.5, 0.75, 0.9].map((share) => Math.floor(share * values.length))
    const stages: Stage[] = []
    expect(await shuffledSession(values, stages).kthLargest(value, ranks)).toEqual(
      ranks.map((rank) => sorted[rank - 1]),
    )
    expect(stages.filter(({ ranges }) => ranges.length === 5).length).toBeGreaterThan(1)
  })

  it('gives NaN where NaN is among the largest', async () => {
    const session = createArraySession({
      shape: [3],
      inputs: [{ dtype: 'F32', bytes: bytesOf(Float32Array.of(1, NaN, Infinity)) }],
    })
    expect(await session.kthLargest(value, [1, 2, 3])).toEqual([NaN, Infinity, 1])
  })

  it('rejects a rank that does not exist', async () => {
    const session = createArraySession({ shape: [3], inputs: [{ dtype: 'F32', bytes: new Uint8Array(12) }] })
    await expect(session.kthLargest(value, [4])).rejects.toMatchObject({ code: 'number-range' })
    await expect(session.kthLargest(value, [0])).rejects.toMatchObject({ code: 'number-range' })
  })

  it('works on bf16', async () => {
    const bytes = new Uint8Array(8)
    encode('BF16', Float32Array.of(1, -2, 0.5, 0), bytes, 0)
    const session = createArraySession({ shape: [4], inputs: [{ dtype: 'BF16', bytes }] })
    expect(await session.kthLargest(value, [2])).toEqual([1])
  })
})

/** The flat index at which a mask of equal elements ends. */
function boundary(mask: Mask): number {
  const text = JSON.stringify(mask)
  return Number(/"before","end":(\d+)/.exec(text)![1])
}
