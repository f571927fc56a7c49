import { expect, it } from 'vitest'
import { abs, input, mul, perColumn, perRow, select, lt } from '../../language/operations.ts'
import { type Program } from '../../program/program.ts'
import { createReferenceRuntime } from '../../reference/reference-runtime.ts'
import { createArraySession } from '../array-session.ts'
import { CHUNK_ELEMENTS } from '../chunks.ts'
import { gatherVectors } from './gather-vectors.ts'

const [rows, columns] = [5 * 64, CHUNK_ELEMENTS / 64]

/** A session that notes how many elements each call covers, and what is compiled. */
function countedSession(values: Float32Array) {
  const reference = createReferenceRuntime()
  const calls: number[] = []
  const programs: Program[] = []
  const compile = async (program: Program) => {
    const kernel = await reference.compile(program)
    programs.push(program)
    return {
      run: (call: Parameters<typeof kernel.run>[0]) => {
        calls.push(call.elementCount)
        return kernel.run(call)
      },
    }
  }
  const session = createArraySession({
    shape: [rows, columns],
    inputs: [{ dtype: 'F32', bytes: new Uint8Array(values.buffer) }],
    runtime: { ...reference, compile },
  })
  return { session, calls, programs }
}

/** Few distinct values, as differences of bf16 numbers have. */
const values = Float32Array.from({ length: rows * columns }, (_, i) => (((i * 7919) % 101) % 16) / 64)
const sampled = 20 * 2048

it('looks at the pieces of a sample in one call for each of its two stages, and proves common values in one pass', async () => {
  const { session, calls } = countedSession(values)
  await session.largest({
    half: { value: abs(input(0)), k: values.length / 2 },
    tenth: { value: abs(input(0)), k: values.length / 10 },
  })
  expect(calls.slice(0, 2)).toEqual([sampled, sampled])
  // One pass of five chunks, then for each of two masks the two chunks where its ties end, at once.
  const chunks = Array.from({ length: 5 }, () => CHUNK_ELEMENTS)
  expect(calls.slice(2)).toEqual([...chunks, 2 * CHUNK_ELEMENTS, 2 * CHUNK_ELEMENTS])
})

it('finds order statistics of values with a vector per row, or per column', async () => {
  for (const [per, length, vectorOf] of [
    [(i: number) => Math.floor(i / columns), rows, perRow],
    [(i: number) => i % columns, columns, perColumn],
  ] as const) {
    const factors = Float32Array.from({ length }, (_, i) => 1 + ((i * 31) % 17) / 8)
    const { session, calls } = countedSession(values)
    const product = values.map((value, i) => value * factors[per(i)]!)
    const sorted = product.toSorted().toReversed()
    const ranks = [values.length / 4, values.length / 2]
    expect(await session.kthLargest(mul(input(0), vectorOf(factors)), ranks)).toEqual(ranks.map((k) => sorted[k - 1]))
    expect(calls[0]).toBe(sampled)
  }
})

it('does not look for single values in a sample where none can be common', async () => {
  const different = Float32Array.from({ length: rows * columns }, (_, i) => 2 ** (8 * ((i * 0.618034) % 1)))
  const { session, calls } = countedSession(different)
  const sorted = different.toSorted().toReversed()
  const ranks = [different.length / 4, different.length / 2]
  expect(await session.kthLargest(abs(input(0)), ranks)).toEqual(ranks.map((k) => sorted[k - 1]))
  expect(calls.filter((elements) => elements === sampled)).toHaveLength(1)
})

it('counts a value of the sample once, however many of its ranks are asked for', async () => {
  const { session, programs } = countedSession(values)
  const value = abs(input(0))
  const sorted = values.toSorted().toReversed()
  const ranks = [values.length / 10, values.length / 4, values.length / 2]
  expect(await session.kthLargest(value, ranks)).toEqual(ranks.map((k) => sorted[k - 1]))
  const bins = programs[0]!.outputs.filter(({ kind }) => kind === 'histogram')
  expect(bins).toHaveLength(1)
  const { session: another, programs: ofTwo } = countedSession(values)
  await another.largest({
    a: { value, k: values.length / 10 },
    b: { value: mul(value, 2), k: values.length / 4 },
    c: { value, k: values.length / 2 },
  })
  expect(ofTwo[0]!.outputs.filter(({ kind }) => kind === 'histogram')).toHaveLength(2)
})

it('puts what a vector has for each element of the ranges in its place, and keeps what has none', () => {
  const plain = abs(input(0))
  const ranges = [
    { start: 1, end: 3 },
    { start: 5, end: 6 },
  ]
  const byRow = perRow(Float32Array.of(10, 20))
  const byColumn = perColumn(Float32Array.of(1, 2, 3))
  const asRow = { columns: 3, unit: undefined }
  const gathered = gatherVectors(select(lt(byRow, 1), plain, byColumn), ranges, asRow)
  expect(gathered).toEqual(
    select(lt(perColumn(Float32Array.of(10, 10, 20)), 1), plain, perColumn(Float32Array.of(2, 3, 3))),
  )
  expect(gatherVectors(plain, ranges, asRow)).toBe(plain)
  expect(gatherVectors(2, ranges, asRow)).toBe(2)
})

it('has one value for each part of a row that pieces consist of', () => {
  const byRow = perRow(Float32Array.of(10, 20, 30))
  const ranges = [
    { start: 2, end: 6 },
    { start: 10, end: 12 },
  ]
  expect(gatherVectors(mul(byRow, 2), ranges, { columns: 4, unit: 2 })).toEqual(
    mul(perRow(Float32Array.of(10, 20, 30)), 2),
  )
})

it('lists quantiles in one pass where rows differ much, whatever rows a sample would have by chance', async () => {
  const count = 2048
  const factors = Float32Array.from({ length: count }, (_, row) => 1 + ((row * 7919) % count) / 256)
  const scattered = Float32Array.from({ length: count * 512 }, (_, i) => 2 ** -((i * 0.618034) % 1))
  const counts = { passes: 0 }
  const reference = createReferenceRuntime()
  const session = createArraySession({
    shape: [count, 512],
    inputs: [{ dtype: 'F32', bytes: new Uint8Array(scattered.buffer) }],
    runtime: {
      ...reference,
      async compile(program) {
        const kernel = await reference.compile(program)
        return {
          run(call) {
            if (call.offset === 0 && call.elementCount === CHUNK_ELEMENTS) counts.passes++
            return kernel.run(call)
          },
        }
      },
    },
  })
  const sorted = scattered
    .map((value, i) => value * factors[Math.floor(i / 512)]!)
    .toSorted()
    .toReversed()
  const ranks = [0.25, 0.5, 0.75].map((part) => part * scattered.length)
  expect(await session.kthLargest(mul(input(0), perRow(factors)), ranks)).toEqual(ranks.map((k) => sorted[k - 1]))
  expect(counts.passes).toBe(1)
})
