import type { SourceReader } from '@mk/source'
import { add, count, input } from '@mk/tensor'
import { createReferenceRuntime, finiteStored, finiteThroughout, lower } from '@mk/tensor/runtime'
import { expect, test } from 'vitest'
import { kernelWork } from './kernel-work.ts'
import { runBatch } from './run-batch.ts'
import type { BatchPart } from './task.ts'

const elementCount = 6
const value = add(input(0), input(1))
const sums = kernelWork(
  lower({ stores: [{ value, dtype: 'F32' }], reductions: [count(finiteThroughout(value, 'F32'))] }, ['F32', 'F32']),
  elementCount,
)

const { readAs, isFinite } = finiteStored(0, 'F32')
const finiteInput = kernelWork(lower({ reductions: [count(isFinite)] }, [readAs, 'F32']), elementCount)

/** Two files of five tensors, of which element i is i and 100·i. */
function host(change: (a: Float32Array) => void = () => {}, lacking = Infinity) {
  const runtime = createReferenceRuntime()
  const files = [1, 100].map((factor) => Float32Array.from({ length: 5 * elementCount }, (_, i) => factor * i))
  change(files[0]!)
  const calls: string[] = []
  const written = new Float32Array(5 * elementCount).fill(-1)
  const read: SourceReader['read'] = (source, _, elements, into) => {
    if (source.kind !== 'file') throw new TypeError(source.kind)
    const start = source.byteStart / 4
    calls.push(`read ${source.file} ${start}+${elements}`)
    if (start + elements > lacking) throw new Error(`no bytes of ${start}+${elements}`)
    into.set(new Uint8Array(files[Number(source.file)]!.buffer, source.byteStart, 4 * elements))
  }
  const write = (_: string, position: number, bytes: Uint8Array) => {
    calls.push(`write ${position / 4}+${bytes.length / 4}`)
    new Uint8Array(written.buffer).set(bytes, position)
  }
  return {
    calls,
    written,
    reader: { read, close() {} },
    writer: { write, close() {} },
    compile: async (work: typeof sums) => ({ kernel: await runtime.compile(work.program), uses: [true, true] }),
    buffers: (lengths: readonly number[]) => lengths.map((length) => new Uint8Array(length)),
    pieceElements: () => 20,
  }
}

/** Tensors 0 to 2, which are a run, and tensor 4. */
const part = (more: Partial<BatchPart> = {}): BatchPart => ({
  elementCount,
  sources: ['0', '1'].map((file) => ({ file, dtype: 'F32' })),
  output: { file: 'out', dtype: 'F32' },
  work: sums,
  runs: [3, 0, 0, 0, 1, ...Array.from({ length: 3 }, () => 4 * 4 * elementCount)],
  ...more,
})
const expected = Array.from({ length: 5 * elementCount }, (_, i) => (i < 18 || i >= 24 ? 101 * i : -1))

test('a run of small tensors is read at once and written tensor by tensor, or at once where the writer takes that', async () => {
  const one = host()
  expect(await runBatch(one, { tensor: 0, parts: [part()] })).toEqual({ results: [] })
  expect([...one.written]).toEqual(expected)
  expect(one.calls.slice(0, 5)).toEqual(['read 0 0+18', 'read 1 0+18', 'write 0+6', 'write 6+6', 'write 12+6'])
  const other = host()
  await runBatch({ ...other, writer: { ...other.writer, takesSeveral: true } }, { tensor: 0, parts: [part()] })
  expect([...other.written]).toEqual(expected)
  expect(other.calls.filter((call) => call.startsWith('write'))).toEqual(['write 0+18', 'write 24+6'])
})

test('of a long run no more is read at once than is worth a call, and whole tensors only', async () => {
  const one = host()
  const pieceElements = () => 2 * elementCount + 1
  await runBatch(
    { ...one, pieceElements, writer: { ...one.writer, takesSeveral: true } },
    { tensor: 0, parts: [part()] },
  )
  expect([...one.written]).toEqual(expected)
  expect(one.calls.filter((call) => call.startsWith('write'))).toEqual(['write 0+12', 'write 12+6', 'write 24+6'])
})

const ranges = [0, 2, 2, 4, 4, 6]

test('what a call is worth goes by the bytes of an element in all files', async () => {
  const one = host()
  const asked: number[] = []
  const pieceElements = (elementBytes: number) => (asked.push(elementBytes), 20)
  await runBatch({ ...one, pieceElements }, { tensor: 0, parts: [part()] })
  expect(asked).toEqual([12])
})

test('larger tensors are gone through in pieces of their ranges, none of which is of two', async () => {
  const one = host()
  await runBatch({ ...one, pieceElements: () => 4 }, { tensor: 0, parts: [part({ ranges })] })
  expect([...one.written]).toEqual(expected)
  expect(one.calls.filter((call) => call.startsWith('write'))).toEqual(
    [0, 6, 12, 24].flatMap((first) => [`write ${first}+4`, `write ${first + 4}+2`]),
  )
})

test.each([{}, { ranges }])('what is not finite is counted by tensor, over all of its pieces (%o)', async (more) => {
  const spoiled = host((a) => [7, 8, 11, 25].forEach((index) => (a[index] = index === 8 ? NaN : Infinity)))
  const { nonFiniteAt } = await runBatch(spoiled, { tensor: 0, parts: [part(more), part(more)] })
  const of = (count: number) => ({ results: count, overflow: 0, inputs: [count, 0] })
  expect(nonFiniteAt).toEqual([
    [1, of(3)],
    [3, of(1)],
    [5, of(3)],
    [7, of(1)],
  ])
})

test('bytes are copied as they are', async () => {
  const one = host()
  await runBatch(one, { tensor: 0, parts: [part({ work: { kind: 'copy', input: 1, finite: undefined } })] })
  expect([...one.written]).toEqual(expected.map((sum, i) => (sum < 0 ? -1 : 100 * i)))
  expect(one.calls.filter((call) => call.startsWith('read'))).toEqual(['read 1 0+18', 'read 1 24+6'])
})

test.each<[string, Partial<BatchPart>]>([
  ['computed', {}],
  ['copied', { work: { kind: 'copy', input: 0, finite: finiteInput } }],
])('of tensors that are %s the only one that is not finite is told, and written all the same', async (_, more) => {
  const spoiled = host((a) => (a[13] = NaN))
  const { nonFiniteAt } = await runBatch(spoiled, { tensor: 0, parts: [part(more)] })
  expect(nonFiniteAt).toEqual([[2, { results: 1, overflow: 0, inputs: [1, 0] }]])
  expect([...spoiled.written.keys()].filter((i) => Number.isNaN(spoiled.written[i]))).toEqual([13])
})

test('what can’t be read is told of the tensor that it is of', async () => {
  await expect(runBatch(host(undefined, 13), { tensor: 0, parts: [part()] })).rejects.toThrow('no bytes of 12+6')
})

test('what is there already is read for its count, and not written', async () => {
  const output = { file: 'out', dtype: 'F32', isThere: true } as const
  const copy = (finite: typeof finiteInput | undefined) => part({ work: { kind: 'copy', input: 0, finite }, output })
  const counted = host((a) => (a[7] = Infinity))
  const { nonFiniteAt } = await runBatch(counted, { tensor: 0, parts: [copy(finiteInput)] })
  expect(nonFiniteAt!.map(([place]) => place)).toEqual([1])
  expect(counted.calls).toEqual(['read 0 0+18', 'read 0 24+6'])
  // Integers are all finite.
  const uncounted = host()
  await runBatch(uncounted, { tensor: 0, parts: [copy(undefined), part()] })
  expect(uncounted.calls[0]).toBe('read 0 0+18')
  expect([...uncounted.written]).toEqual(expected)
  // What is computed is written all the same.
  const computed = host()
  await runBatch(computed, { tensor: 0, parts: [part({ output })] })
  expect([...computed.written]).toEqual(expected)
})
