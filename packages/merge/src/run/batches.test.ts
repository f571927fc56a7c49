import { expect, test } from 'vitest'
import type { PlannedTensor } from '../plan/merge-plan.ts'
import { batchLimits, createBatch, fitsBatch, isElementwise, smallBatch } from './batches.ts'
import type { Kind, LastPass } from './kinds.ts'

const shape = [2, 4]
const bytes = 32

const kindOf = (last: Partial<LastPass['work']> = {}): Kind => ({
  method: { name: 'linear' } as never,
  tensor: { operation: { kind: 'copy' } as never, dtype: 'F32' },
  shape,
  sources: [],
  last: { work: { kind: 'copy', input: 0, finite: undefined, ...last } as LastPass['work'], ranges: [] },
})

/** The tensor at a place of the output, made of those at places of the files 'a' and 'b', counted in tensors. */
const tensorAt = (out: number, a: number, b: number, file = 'b'): PlannedTensor => ({
  name: `${out}`,
  dtype: 'F32',
  shape,
  file: 0,
  byteStart: 100 + bytes * out,
  operation: {
    kind: 'merge',
    models: [
      { input: 0, name: 'x', source: { kind: 'file', file: 'a', dtype: 'F32', shape, byteStart: bytes * a } },
      { input: 1, name: 'x', source: { kind: 'file', file, dtype: 'F32', shape, byteStart: 8 + bytes * b } },
    ],
    parameters: {},
  },
})

const runsOf = (tensors: readonly PlannedTensor[], kinds: readonly Kind[] = []) => {
  const found = createBatch({ files: ['out'] })
  const one = kindOf()
  expect(tensors.every((tensor, index) => found.add(index, tensor, kinds[index] ?? one))).toBe(true)
  const { indexes, elements, task } = found.finish()!
  expect(elements).toBe(8 * tensors.length)
  const parts = task.parts.map(({ runs, sources }) => ({ runs, files: sources.map(({ file }) => file) }))
  return { indexes, parts }
}

test('tensors that lie one after the other in every file are one run', () => {
  expect(runsOf([tensorAt(0, 5, 7), tensorAt(1, 6, 8), tensorAt(2, 7, 9)])).toEqual({
    indexes: [0, 1, 2],
    parts: [{ runs: [3, 100, 5 * bytes, 8 + 7 * bytes], files: ['a', 'b'] }],
  })
})

test.each<[string, PlannedTensor]>([
  ['the output', tensorAt(2, 1, 1)],
  ['the first source', tensorAt(1, 2, 1)],
  ['the last source', tensorAt(1, 1, 0)],
])('a gap in %s begins another run', (_, next) => {
  const { indexes, parts } = runsOf([tensorAt(0, 0, 0), next])
  expect(indexes).toEqual([0, 1])
  expect(parts).toHaveLength(1)
  expect(parts[0]!.runs).toHaveLength(8)
  expect([parts[0]!.runs[0], parts[0]!.runs[4]]).toEqual([1, 1])
})

test('tensors of other files, and of other kinds, are other parts, in whose order the tensors are', () => {
  expect(runsOf([tensorAt(0, 0, 0), tensorAt(1, 1, 1, 'c'), tensorAt(2, 2, 2)])).toMatchObject({
    indexes: [0, 2, 1],
    parts: [{ files: ['a', 'b'] }, { files: ['a', 'c'] }],
  })
  const [one, other] = [kindOf(), kindOf()]
  const { indexes, parts } = runsOf([tensorAt(0, 0, 0), tensorAt(1, 1, 1), tensorAt(2, 2, 2)], [one, other, one])
  expect(indexes).toEqual([0, 2, 1])
  expect(parts).toHaveLength(2)
})

test('larger tensors bring their ranges, and nothing is a batch of nothing', () => {
  expect(createBatch({ files: ['out'] }).finish()).toBeUndefined()
  const large = { ...kindOf(), shape: [2 ** 16] }
  const ranges = [
    { start: 0, end: 2 ** 15 },
    { start: 2 ** 15, end: 2 ** 16 },
  ]
  const found = createBatch({ files: ['out'] })
  found.add(0, { ...tensorAt(0, 0, 0), shape: large.shape }, { ...large, last: { ...large.last, ranges } })
  expect(found.finish()!.task.parts).toMatchObject([{ ranges: [0, 2 ** 15, 2 ** 15, 2 ** 16] }])
})

test('what is made of more than bytes of files is in no batch', () => {
  const tensor = tensorAt(0, 0, 0)
  const source = { kind: 'crop', dtype: 'F32', shape, source: tensor } as never
  const operation = { kind: 'copy', input: { input: 0, name: 'x', source } } as const
  expect(createBatch({ files: ['out'] }).add(0, { ...tensor, operation }, kindOf())).toBe(false)
})

test.each([smallBatch, batchLimits(2 ** 40, 2)])(
  'only whole tensors of a size that are stored element by element fit',
  (limits) => {
    const tensor = tensorAt(0, 0, 0)
    expect(fitsBatch(tensor, limits)).toBe(true)
    expect(fitsBatch({ ...tensor, shape: [limits.tensorElements] }, limits)).toBe(true)
    expect(fitsBatch({ ...tensor, shape: [limits.tensorElements + 1] }, limits)).toBe(false)
    expect(fitsBatch({ ...tensor, shape: [0, 4] }, limits)).toBe(false)
    expect(fitsBatch({ ...tensor, share: { from: 0, to: 0.5 } }, limits)).toBe(false)
    expect(fitsBatch({ ...tensor, rows: {} as never }, limits)).toBe(false)
  },
)

test('what goes by rows, or by an element’s place, is not computed as one', () => {
  const kernel = (program: object): Kind =>
    kindOf({
      kind: 'kernel',
      program: { inputs: ['F32'], vectors: [], instructions: [], outputs: [], ...program },
    } as never)
  expect(isElementwise(kindOf())).toBe(true)
  expect(isElementwise(kernel({}))).toBe(true)
  expect(isElementwise(kernel({ vectors: ['row'] }))).toBe(false)
  expect(isElementwise(kernel({ instructions: [{ op: 'before', slot: 0 }] }))).toBe(false)
  const { last, ...facts } = kernel({})
  expect(isElementwise({ ...facts, last: { ...last, recall: {} as never } })).toBe(false)
  expect(isElementwise({ ...facts, last: { ranges: [], work: { kind: 'blocks' } as never } })).toBe(false)
})

test('a batch holds more the more is left, and never what would leave another worker waiting in the end', () => {
  const large = 2 ** 22
  expect([0, 8 * 2 * large - 1].map((left) => batchLimits(left, 2))).toEqual([smallBatch, smallBatch])
  expect([16, 32, 64, 1024].map((tensors) => batchLimits(tensors * large, 2).elements / large)).toEqual([2, 4, 8, 8])
  expect(batchLimits(1024 * large, 64).elements / large).toBe(4)
})
