import { expect, it } from 'vitest'
import { callRanges } from './call-ranges.ts'
import { createChunkCache } from './chunk-cache.ts'
import type { TensorPass } from './task.ts'

const page = 2 ** 16
/** Ranges of a page of one bf16 input each. */
const length = page / 2
const rangesOf = (...indexes: number[]) => indexes.map((i) => ({ start: i * length, end: (i + 1) * length }))
const source = { kind: 'file', dtype: 'BF16', shape: [8 * length], file: 'a', byteStart: 0 } as const
const output = { file: 'b', dtype: 'BF16', byteStart: 0 } as const

interface Given {
  readonly pass?: Partial<TensorPass>
  readonly ranges?: ReturnType<typeof rangesOf>
  readonly groups?: readonly number[]
  readonly cachePages?: number
  /** As [first, how many] ranges. */
  readonly kept?: readonly (readonly [number, number])[]
}

/** What calls cover, as [first, how many] ranges. */
function callsOf({ pass = {}, ranges = rangesOf(0, 1, 2, 3, 4, 5), groups, cachePages = 0, kept = [] }: Given) {
  const cache = createChunkCache(new Uint8Array(cachePages * page))
  for (const [index, count] of kept)
    cache.add(0, { slot: 0, start: index * length, end: (index + count) * length, byteLength: count * page })
  const whole = { tensor: 0, sources: [source], output: undefined, keep: false, ...pass } as TensorPass
  const task = { pass: whole, ranges, groups: groups ?? ranges.map((_, index) => index) }
  return callRanges(task, [true], cache, 4 * length).map(({ range, first }) => {
    expect(range.start).toBe(ranges[first]!.start)
    return [first, (range.end - range.start) / length]
  })
}

it('joins ranges of a group whose results add up, and none of two groups', () => {
  expect(callsOf({ groups: [0, 0, 0, 1, 1, 2] })).toEqual([
    [0, 3],
    [3, 2],
    [5, 1],
  ])
  expect(callsOf({}).length).toBe(6)
})

it('joins whatever a pass writes, up to the most that a call is to have', () => {
  expect(callsOf({ pass: { output } })).toEqual([
    [0, 4],
    [4, 2],
  ])
})

it('joins nothing over a gap', () => {
  expect(callsOf({ pass: { output }, ranges: rangesOf(0, 1, 3, 4) })).toEqual([
    [0, 2],
    [2, 2],
  ])
})

it('joins what was kept together, but neither with what was not', () => {
  expect(callsOf({ pass: { output }, cachePages: 3, kept: [[1, 2]] })).toEqual([
    [0, 1],
    [1, 2],
    [3, 3],
  ])
  const apart = [1, 2].map((index) => [index, 1] as const)
  expect(callsOf({ pass: { output }, cachePages: 3, kept: apart })).toEqual([
    [0, 1],
    [1, 1],
    [2, 1],
    [3, 3],
  ])
})

it('joins the rest of what was kept where ranges begin in its midst', () => {
  const given = { pass: { output }, ranges: rangesOf(2, 3, 4, 5), cachePages: 4, kept: [[0, 4]] as const }
  expect(callsOf(given)).toEqual([
    [0, 2],
    [2, 2],
  ])
})

it('joins what there is room to keep, and not with what there is none for', () => {
  expect(callsOf({ pass: { keep: true }, groups: [0, 0, 0, 0, 0, 0], cachePages: 2 })).toEqual([
    [0, 2],
    [2, 4],
  ])
  expect(callsOf({ pass: { keep: true }, groups: [0, 0, 1, 1, 2, 2], cachePages: 3 })).toEqual([
    [0, 2],
    [2, 1],
    [3, 1],
    [4, 2],
  ])
})
