import { createReaderOver } from '@mk/source'
import { abs, add, count as countOf, gt, input } from '@mk/tensor'
import { createReferenceRuntime, finiteStored, lower, planChunks } from '@mk/tensor/runtime'
import { expect, test } from 'vitest'
import { createExecutor } from './executor.ts'
import { kernelWork } from './kernel-work.ts'
import type { TensorPass } from './task.ts'

const elements = 2 ** 20
const chunk = 2 ** 17
const values = Float32Array.from({ length: elements }, (_, i) => Math.sin(i))
const stored = new Uint8Array(values.buffer)
const ranges = planChunks(elements, 1024)

/** What carries out passes over these values and writes as many, what it reads, and how many elements each kernel call covers. */
function watched(cacheBytes: number, onCall?: (count: number) => void) {
  const reads: [start: number, elements: number][] = []
  const calls: number[] = []
  const written = new Uint8Array(stored.length)
  const reference = createReferenceRuntime()
  const file = {
    read(_: string, byteStart: number, into: Uint8Array) {
      reads.push([byteStart / 4, into.length / 4])
      into.set(stored.subarray(byteStart, byteStart + into.length))
    },
    close() {},
  }
  const executor = createExecutor({
    runtime: {
      ...reference,
      async compile(program) {
        const kernel = await reference.compile(program)
        return {
          run(call) {
            calls.push(call.elementCount)
            onCall?.(calls.length)
            return kernel.run(call)
          },
        }
      },
    },
    createReader: (parts) => createReaderOver(file, parts),
    writer: { write: (_, position, bytes) => written.set(bytes, position), close() {} },
    cacheBytes,
  })
  return { executor, reads, calls, written }
}

const common = {
  tensor: 0,
  sources: [{ kind: 'file', file: 'a', dtype: 'F32', shape: [1024, 1024], byteStart: 0 }],
} as const
const counting: TensorPass = {
  ...common,
  work: kernelWork(lower({ reductions: [countOf(gt(abs(input(0)), 0.5))] }, ['F32']), 1024),
  output: undefined,
  keep: true,
}
const writing: TensorPass = {
  ...common,
  work: kernelWork(lower({ stores: [{ value: abs(input(0)), dtype: 'F32' }], reductions: [] }, ['F32']), 1024),
  output: { file: 'b', dtype: 'F32', byteStart: 0 },
  keep: false,
}
const expected = values.reduce((sum, value) => sum + Number(Math.abs(value) > 0.5), 0)
const group = ranges.map(() => 0)

test('counts of one group come of fewer calls, and what was kept is not read again', async () => {
  const { executor, reads, calls, written } = watched(2 * 4 * chunk)
  const { results } = await executor.run({ pass: counting, ranges, groups: group })
  expect(results).toEqual([{ range: 0, result: [Float64Array.of(expected)] }])
  // Two chunks that are kept, and the other six in calls of up to four.
  expect(calls).toEqual([2 * chunk, 4 * chunk, 2 * chunk])
  expect(reads.splice(0)).toEqual([
    [0, 2 * chunk],
    [2 * chunk, 4 * chunk],
    [6 * chunk, 2 * chunk],
  ])
  // Shared out in another way.
  for (const [first, last] of [
    [1, 4],
    [0, 1],
    [4, 8],
  ])
    await executor.run({ pass: writing, ranges: ranges.slice(first, last), groups: group.slice(first, last) })
  expect(reads).toEqual([
    [2 * chunk, 2 * chunk],
    [4 * chunk, 4 * chunk],
  ])
  const absolute = new Uint8Array(values.map(Math.abs).buffer)
  expect(written.every((byte, at) => byte === absolute[at])).toBe(true)
})

test('what is wanted of each range stays a call of its own', async () => {
  const { executor, calls } = watched(0)
  const { results } = await executor.run({ pass: counting, ranges, groups: ranges.map((_, index) => index) })
  expect(calls).toEqual(ranges.map(() => chunk))
  expect(results.map(({ range }) => range)).toEqual(ranges.map((_, index) => index))
})

test('where nothing is kept all is joined, and a tensor that is forgotten leaves its room to the next', async () => {
  const { executor, calls } = watched(4 * chunk)
  for (const tensor of [0, 1]) {
    await executor.run({ pass: { ...counting, tensor }, ranges, groups: group })
    expect(calls.splice(0)).toEqual([chunk, 4 * chunk, 3 * chunk])
    executor.forget(tensor)
  }
  await executor.run({ pass: { ...counting, keep: false }, ranges, groups: group })
  expect(calls).toEqual([4 * chunk, 4 * chunk])
})

test('of many models a call covers fewer elements, so that the memory for it is bounded', async () => {
  const { executor, calls } = watched(0)
  const sources = Array.from({ length: 24 }, () => common.sources[0])
  const dtypes = sources.map(({ dtype }) => dtype)
  const sum = sources.map((_, slot) => input(slot)).reduce((total, each) => add(total, each))
  const some = ranges.slice(0, 5)
  const groups = group.slice(0, 5)
  const count = kernelWork(lower({ reductions: [countOf(gt(sum, 0.5))] }, dtypes), 1024)
  await executor.run({ pass: { ...counting, sources, work: count, keep: false }, ranges: some, groups })
  // 96 bytes of each element.
  expect(calls.splice(0)).toEqual([2 * chunk, 2 * chunk, chunk])
  const few = sources.slice(0, 15)
  const sumOfFew = few.map((_, slot) => input(slot)).reduce((total, each) => add(total, each))
  const store = { stores: [{ value: sumOfFew, dtype: 'F32' as const }], reductions: [] }
  const write = kernelWork(lower(store, dtypes.slice(0, 15)), 1024)
  await executor.run({ pass: { ...writing, sources: few, work: write }, ranges: some, groups })
  expect(calls.splice(0)).toEqual([4 * chunk, chunk])
  const one = dtypes.slice(0, 16)
  const more = kernelWork(lower({ ...store, stores: [{ value: add(sumOfFew, input(15)), dtype: 'F32' }] }, one), 1024)
  await executor.run({ pass: { ...writing, sources: sources.slice(0, 16), work: more }, ranges: some, groups })
  // What is stored counts, too.
  expect(calls).toEqual([3 * chunk, 2 * chunk])
})

test('where it is stopped no call begins any more', async () => {
  const { executor, calls } = watched(0, (count) => {
    if (count === 3) executor.stop!()
  })
  const groups = ranges.map((_, index) => index)
  await expect(executor.run({ pass: counting, ranges, groups })).rejects.toMatchObject({
    issue: { code: 'runtime-closed' },
  })
  expect(calls).toEqual([chunk, chunk, chunk])
  await executor.close()
})

test('a copy that is there already is read for its count, and not written', async () => {
  const { readAs, isFinite } = finiteStored(0, 'F32')
  const finite = kernelWork(lower({ reductions: [countOf(isFinite)] }, [readAs]), elements)
  const output = { file: 'b', dtype: 'F32', byteStart: 0, isThere: true } as const
  const copy = (counted: typeof finite | undefined): TensorPass => ({
    ...common,
    work: { kind: 'copy', input: 0, finite: counted },
    output,
    keep: false,
  })
  const { executor, reads, written } = watched(0)
  expect(await executor.run({ pass: copy(finite), ranges, groups: group })).toEqual({ results: [] })
  expect(reads.splice(0).reduce((sum, [, count]) => sum + count, 0)).toBe(elements)
  await executor.run({ pass: copy(undefined), ranges, groups: group })
  expect(reads).toEqual([])
  expect(written.every((byte) => byte === 0)).toBe(true)
  // What is computed is written all the same.
  await executor.run({ pass: { ...writing, output }, ranges, groups: group })
  expect(written.some((byte) => byte !== 0)).toBe(true)
})
