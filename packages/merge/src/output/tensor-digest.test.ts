import { expect, test } from 'vitest'
import type { Operation, PlannedTensor, PlannedTensorInput } from '../plan/merge-plan.ts'
import { digestTensors } from './tensor-digest.ts'

const file = { kind: 'file', file: '/a', dtype: 'F32', shape: [2, 2], byteStart: 8 } as const
const input = (more: object = {}): PlannedTensorInput => ({ input: 0, name: 'w', source: file, ...more })
const merge = { kind: 'merge', models: [input(), input({ input: 1 })], parameters: { weight: [1, 2] } } as const
const tensor = (more: Partial<PlannedTensor> = {}): PlannedTensor => ({
  name: 'w',
  dtype: 'F32',
  shape: [2, 2],
  file: 0,
  byteStart: 8,
  operation: merge,
  ...more,
})
const of = (more: object): PlannedTensor => tensor({ operation: { ...merge, ...more } as Operation })
const withInput = (more: object) => of({ models: [input(more), input({ input: 1 })] })
const withSource = (more: object) => withInput({ source: { ...file, ...more } })
const other = { ...file, file: '/b' }
/** A source that is more than a place in a file. */
const computed = (byteStart: number) => withSource({ kind: 'f16', bits: { ...file, byteStart } })
const alone = (byteStart: number) =>
  of({ models: [input({ source: { ...file, kind: 'f16', bits: { ...file, byteStart } } })] })

test('a digest is of all that a plan says of a tensor', () => {
  const tensors = [
    tensor(),
    tensor({ name: 'v' }),
    tensor({ dtype: 'BF16' }),
    tensor({ shape: [4] }),
    tensor({ file: 1 }),
    tensor({ byteStart: 16 }),
    tensor({ share: { from: 0, to: 0.5 } }),
    tensor({ share: { from: 0.5, to: 1 } }),
    tensor({ operation: { kind: 'copy', input: input() } }),
    tensor({ operation: { kind: 'copy', input: input({ source: other }) } }),
    of({ method: 'slerp' }),
    of({ layerDepth: 0 }),
    of({ layerDepth: 1 }),
    of({ parameters: { weight: [1, 3] } }),
    of({ base: input() }),
    of({ base: input({ input: 1 }) }),
    of({ models: [input()] }),
    of({ models: [input({ input: 1 }), input()] }),
    of({ base: input(), models: [input({ input: 1 })] }),
    of({ tensors: { mask: [input()] } }),
    of({ tensors: { mask: [input({ source: other })] } }),
    withInput({ name: 'v' }),
    withInput({ more: 1 }),
    withInput({ more: 2 }),
    withSource({ file: '/b' }),
    withSource({ dtype: 'BF16' }),
    withSource({ shape: [4] }),
    withSource({ byteStart: 16 }),
    withSource({ more: 1 }),
    withSource({ more: 2 }),
    computed(8),
    computed(16),
    alone(8),
    alone(16),
  ]
  const digests = tensors.map((each) => digestTensors([each]))
  expect(digests.filter((digest, index) => digests.indexOf(digest) !== index)).toEqual([])
  // By what it says, not by the objects that say it.
  expect(digestTensors([structuredClone(tensor())])).toBe(digests[0])
})

test('a digest is of every tensor of many, in their order', () => {
  const many = Array.from({ length: 2050 }, (_, index) => tensor({ name: `w${index}` }))
  const whole = digestTensors(many)
  for (const at of [0, 1023, 1024, 2047, 2048, 2049])
    expect(digestTensors(many.with(at, tensor({ name: 'other' })))).not.toBe(whole)
  expect(digestTensors(many.slice(0, -1))).not.toBe(whole)
  expect(digestTensors(many.toReversed())).not.toBe(whole)
  expect(digestTensors([])).not.toBe(digestTensors([tensor()]))
})
