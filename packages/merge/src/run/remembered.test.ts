import { add, input, lt, type Mask, select, sum, uniform } from '@mk/tensor'
import { createReferenceRuntime, lower, masksOfCodes, type Program, programKey } from '@mk/tensor/runtime'
import type { SourceReader } from '@mk/source'
import { expect, it } from 'vitest'
import { createExecutor } from './executor.ts'
import { kernelWork } from './kernel-work.ts'
import type { TensorPass } from './task.ts'

const rows = 3 * 2 ** 12
const ranges = [0, 1, 2].map((part) => ({ start: (part * rows) / 3, end: ((part + 1) * rows) / 3 }))
const groups = [0, 1, 2]
const source = {
  kind: 'file',
  file: 0,
  byteStart: 0,
  dtype: 'F32',
  shape: [rows],
} as unknown as TensorPass['sources'][0]

/** Runs a pass that remembers a mask of random numbers, and then one that writes, and counts the calls that draw in the latter. */
async function drawsOf(cacheBytes: number) {
  const reference = createReferenceRuntime()
  let draws = 0
  const compile = async (program: Program) => {
    const kernel = await reference.compile(program)
    const isRandom = program.instructions.some(({ op }) => op === 'uniform')
    return { run: (call: Parameters<typeof kernel.run>[0]) => ((draws += Number(isRandom)), kernel.run(call)) }
  }
  const written = new Uint8Array(4 * rows)
  const executor = createExecutor({
    runtime: { ...reference, compile },
    createReader: () =>
      ({
        read: (_: unknown, start: number, count: number, into: Uint8Array) =>
          into.set(new Uint8Array(Float32Array.from({ length: count }, (__, i) => start + i).buffer)),
        close() {},
      }) as unknown as SourceReader,
    writer: { write: (_, position, bytes) => written.set(bytes, position), close() {} },
    cacheBytes,
  })
  const mask: Mask = lt(uniform({ high: 1, low: 2 }), 0.4)
  const request = { stores: [{ value: add(select(mask, input(0), 0), 1), dtype: 'F32' as const }] }
  const [kept] = masksOfCodes(input(1), 1)
  const shared = { tensor: 7, sources: [source] }
  const counting = lower({ stores: [{ value: select(mask, 1, 0), dtype: 'U8' }], reductions: [sum(mask, 'tensor')] }, [
    'F32',
  ])
  await executor.run({
    pass: { ...shared, work: kernelWork(counting, rows), output: undefined, keep: false, remembers: true },
    ranges,
    groups,
  })
  draws = 0
  const output = { file: 'out', dtype: 'F32', byteStart: 0 } as const
  const recall = kernelWork(lower({ ...request, replaced: new Map([[mask, kept!]]) }, ['F32', 'U8']), rows)
  const work = kernelWork(lower(request, ['F32']), rows)
  expect(programKey(recall.program)).not.toBe(work.programKey)
  await executor.run({ pass: { ...shared, work, recall, output, keep: false }, ranges, groups })
  executor.forget(7)
  await executor.run({
    pass: { ...shared, work, recall, output, keep: false },
    ranges: ranges.slice(0, 1),
    groups: [0],
  })
  await executor.close()
  return { draws, written }
}

it('draws random masks once where there is room to keep them, again where there is none, and gives the same', async () => {
  const [roomy, narrow, none] = [await drawsOf(2 ** 20), await drawsOf(2 ** 15), await drawsOf(0)]
  // All chunks are kept, or two of three, or none; after forgetting one is drawn anew.
  expect([roomy.draws, narrow.draws]).toEqual([0 + 1, 1 + 1])
  expect(none.draws).toBeGreaterThan(1)
  expect(roomy.written.some((byte) => byte !== 0)).toBe(true)
  expect(narrow.written).toEqual(roomy.written)
  expect(none.written).toEqual(roomy.written)
})
