import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createArraySession } from './array-session.ts'
import { CHUNK_ELEMENTS } from './chunks.ts'
import { createSession } from './create-session.ts'
import { abs, perColumn, gt, input, mul, rank, perRow, sub } from '../language/operations.ts'
import { numbers } from '../conformance/data.ts'
import { count, max, min, quickSum, sum } from '../language/reductions.ts'
import { createReferenceRuntime } from '../reference/reference-runtime.ts'
import type { KernelResult } from '../runtime/runtime.ts'
import type { RunStage, Stage } from './stage.ts'

const session = (shape: number[], values: Float32Array) =>
  createArraySession({ shape, inputs: [{ dtype: 'F32', bytes: new Uint8Array(values.buffer) }] })
const x = input(0)

describe('reduce', () => {
  it('lets counts be added up in any order, and nothing else', async () => {
    const sizes: number[] = []
    const stages = createSession({
      shape: [4 * CHUNK_ELEMENTS],
      inputDtypes: ['F32'],
      runStage: async ({ groupSize }) => void sizes.push(groupSize),
    })
    const positive = count(gt(x, 0))
    await stages.reduce({ positive })
    await stages.reduce({ positive, other: count(gt(0, x)) })
    for (const other of [sum(x), max(x), count(gt(x, 0), 'row')]) await stages.reduce({ positive, other })
    expect(sizes).toEqual([4, 4, 1, 1, 1])
  })

  it('sums quickly beside what is per row, and nearly what it sums otherwise', async () => {
    const values = numbers(3 * CHUNK_ELEMENTS + 7, 5).map((value) => Math.abs(value))
    const exact = values.reduce((total, value) => total + value, 0)
    const { quick, rows } = await session([1, values.length], values).reduce({
      quick: quickSum(x),
      rows: sum(x, 'row'),
    })
    expect(rows[0]).toBeCloseTo(exact, 6)
    expect(Math.abs(quick - exact)).toBeLessThan(2 ** -19 * exact)
    expect(quick).not.toBe(exact)
  })

  it('gives numbers for the tensor and vectors for rows and columns', async () => {
    const results = await session([2, 3], Float32Array.of(1, -2, 3, 4, 5, -6)).reduce({
      total: sum(x),
      largest: max(x),
      smallest: min(x),
      positive: count(gt(x, 0)),
      rows: sum(x, 'row'),
      rowMax: max(x, 'row'),
      columns: sum(x, 'column'),
      columnMin: min(x, 'column'),
      positives: count(gt(x, 0), 'column'),
    })
    expect(results).toEqual({
      total: 5,
      largest: 5,
      smallest: -6,
      positive: 4,
      rows: Float64Array.of(2, 3),
      rowMax: Float64Array.of(3, 5),
      columns: Float64Array.of(5, 3, -3),
      columnMin: Float64Array.of(1, -2, -6),
      positives: Float64Array.of(2, 1, 1),
    })
  })

  it('sees a tensor as any matrix, several in one call', async () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i)
    const results = await session([2, 2, 3], values).reduce({
      flat: sum(x, 'row', 12),
      pairs: sum(x, 'column', 2),
      last: sum(x, 'row'),
      all: sum(x),
      first: sum(x, 'row', 6),
    })
    expect(results).toEqual({
      flat: Float64Array.of(66),
      pairs: Float64Array.of(30, 36),
      last: Float64Array.of(3, 12, 21, 30),
      all: 66,
      first: Float64Array.of(15, 51),
    })
  })

  it('takes vectors back, with the matrix that they imply', async () => {
    const tensor = session([2, 2, 2], Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8))
    const { means } = await tensor.reduce({ means: sum(x, 'row', 4) })
    const centered = sub(x, perRow(Float32Array.from(means, (total) => total / 4)))
    expect(
      await tensor.reduce({
        sums: sum(abs(centered), 'row', 4),
        all: sum(mul(centered, perColumn(Float32Array.of(1, 0, 0, 0)))),
      }),
    ).toEqual({ sums: Float64Array.of(4, 4), all: -3 })
  })

  it.each([[[]], [[1]], [[5]]])('works on shape %j', async (shape) => {
    const n = shape[0] ?? 1
    expect(
      await session(shape, new Float32Array(n).fill(2)).reduce({
        a: sum(x),
        b: sum(x, 'row'),
        c: max(x, 'column'),
      }),
    ).toEqual({
      a: 2 * n,
      b: Float64Array.of(2 * n),
      c: new Float64Array(n).fill(2),
    })
  })

  it('takes the whole tensor along with rows and columns of any length, unless it needs a vector', async () => {
    const values = Float32Array.from({ length: 12 }, (_, i) => i)
    const seen: number[] = []
    const counting = createSession({
      shape: [4, 3],
      inputDtypes: ['F32'],
      async runStage(stage, onResult) {
        seen.push(stage.columns)
        const kernel = await createReferenceRuntime().compile(stage.program)
        const inputs = [new Uint8Array(values.buffer)]
        onResult(0, await kernel.run({ ...stage, elementCount: 12, offset: 0, inputs, outputs: [] }))
      },
    })
    expect(await counting.reduce({ pairs: sum(x, 'column', 2), all: sum(x) })).toEqual({
      pairs: Float64Array.of(30, 36),
      all: 66,
    })
    expect(seen.splice(0)).toEqual([2])
    const byColumn = sum(mul(x, perColumn(Float32Array.of(1, 0, 2))))
    expect(await counting.reduce({ pairs: sum(x, 'column', 2), byColumn })).toEqual({
      pairs: Float64Array.of(30, 36),
      byColumn: 18 + 2 * 26,
    })
    expect(seen.splice(0).toSorted()).toEqual([2, 3])
    expect(await counting.reduce({ all: sum(x), most: max(x) })).toEqual({ all: 66, most: 11 })
    expect(seen).toEqual([3])
  })

  it('makes no pass over an empty tensor', async () => {
    const never: RunStage = () => Promise.reject(new Error('a pass'))
    const empty = (shape: number[]) => createSession({ shape, inputDtypes: ['F32'], runStage: never })
    expect(await empty([0, 3]).reduce({ a: sum(x), b: max(x), c: sum(x, 'row'), d: sum(x, 'column') })).toEqual({
      a: 0,
      b: -Infinity,
      c: new Float64Array(0),
      d: new Float64Array(3),
    })
    expect(await empty([2, 0]).reduce({ c: sum(x, 'row'), d: sum(x, 'column') })).toEqual({
      c: new Float64Array(2),
      d: new Float64Array(0),
    })
    for (const shape of [
      [2, 3, 0],
      [5, 4, 3, 0],
    ])
      expect((await empty(shape).reduce({ c: sum(x, 'row') })).c).toHaveLength(
        shape.slice(0, -1).reduce((a, b) => a * b),
      )
  })

  it('agrees with loops on tensors of several chunks, rows longer than a chunk among them', async () => {
    for (const shape of [[5, CHUNK_ELEMENTS + 77], [300, 1000], [CHUNK_ELEMENTS + 5]]) {
      const [rows, columns] = shape.length === 1 ? [1, shape[0]!] : (shape as [number, number])
      const values = numbers(rows * columns, 3)
      const byRow = new Float64Array(rows)
      const byColumn = new Float64Array(columns)
      values.forEach((value, i) => {
        byRow[Math.floor(i / columns)]! += value
        byColumn[i % columns]! += value
      })
      const results = await session(shape, values).reduce({
        rows: sum(x, 'row'),
        columns: sum(x, 'column'),
        all: sum(x),
        max: max(x, 'row'),
        top: sum(rank(abs(x)), 'tensor'),
      })
      const furthest = (x: Float64Array, y: Float64Array) =>
        x.reduce((most, value, i) => Math.max(most, Math.abs(value - y[i]!)), 0)
      expect(furthest(results.rows, byRow)).toBeLessThan(1e-4)
      expect(furthest(results.columns, byColumn)).toBeLessThan(1e-4)
      expect(results.all).toBeCloseTo(
        byRow.reduce((a, b) => a + b),
        3,
      )
      expect(results.max).toEqual(
        Float64Array.from({ length: rows }, (_, row) =>
          values.subarray(row * columns, (row + 1) * columns).reduce((a, b) => Math.max(a, b)),
        ),
      )
      expect(results.top).toBe((rows * columns * (columns - 1)) / 2)
    }
  }, 60_000)

  it('combines in the order of the ranges, whatever the order in which they come', async () => {
    const shape = [700, 1000]
    const values = numbers(700_000, 4)
    const reductions = { a: sum(x), b: sum(x, 'column'), c: sum(x, 'row'), d: min(x) }
    const parts: KernelResult[] = []
    const expected = await createSession({
      shape,
      inputDtypes: ['F32'],
      async runStage(stage, onResult) {
        const kernel = await createReferenceRuntime().compile(stage.program)
        for (const [index, { start, end }] of stage.ranges.entries()) {
          const inputs = [new Uint8Array(values.buffer, 4 * start, 4 * (end - start))]
          const result = await kernel.run({ ...stage, elementCount: end - start, offset: start, inputs, outputs: [] })
          parts.push(structuredClone(result))
          onResult(index, result)
        }
      },
    }).reduce(reductions)
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([...parts.keys()], { minLength: parts.length }), async (order) => {
        const shuffled = createSession({
          shape,
          inputDtypes: ['F32'],
          runStage: async (_, onResult) => order.forEach((index) => onResult(index, parts[index]!)),
        })
        expect(await shuffled.reduce(reductions)).toEqual(expected)
      }),
      { seed: 1, numRuns: 20 },
    )
  })

  it('lets a runner add up counts, but not sums', async () => {
    const stages: Stage[] = []
    const runStage: RunStage = async (stage, onResult) => {
      stages.push(stage)
      onResult(0, [Float64Array.of(0)])
    }
    const tensor = createSession({ shape: [2 * CHUNK_ELEMENTS], inputDtypes: ['F32'], runStage })
    await tensor.reduce({ a: count(gt(x, 0)) })
    await tensor.reduce({ a: sum(x) })
    expect(stages.map(({ groupSize, ranges }) => [groupSize, ranges.length])).toEqual([
      [2, 2],
      [1, 2],
    ])
  })
})
