import { expect, test } from 'vitest'
import type { GatherSegment, GatherSource } from '../../tensor-source.ts'
import { createKeptRows } from './kept-rows.ts'

const of = (name: string): GatherSource =>
  ({ kind: 'gather', dtype: 'F32', shape: [1, 1], sources: [], segments: [], name }) as unknown as GatherSource
const others: GatherSegment = { kind: 'mean-of-others', rowCount: 1 }
const mean = (rowCount: number): GatherSegment => ({ kind: 'mean', rowCount, of: [] })

test('a row that is needed again is kept for its segment, and for no other', () => {
  const kept = createKeptRows()
  const [twice, once, like] = [mean(2), mean(1), mean(2)]
  const row = Uint8Array.of(1)
  for (const segment of [twice, once]) kept.keep(of('a'), segment, row)
  expect([twice, once, like].map((segment) => kept.find(of('a'), segment))).toEqual([row, undefined, undefined])
})

test('the mean of all others is found again where source and segment come as other objects', () => {
  const kept = createKeptRows()
  kept.keep(of('a'), others, Uint8Array.of(1))
  expect(kept.find(of('a'), { ...others })).toEqual(Uint8Array.of(1))
  expect(kept.find(of('b'), others)).toBeUndefined()
})

test('of these four are kept, and the oldest goes first', () => {
  const kept = createKeptRows()
  const names = ['a', 'b', 'c', 'd']
  const found = () => [...names, 'e', 'f'].filter((name) => kept.find(of(name), others) !== undefined).join('')
  for (const name of names) kept.keep(of(name), others, Uint8Array.of(1))
  expect(found()).toBe('abcd')
  kept.keep(of('a'), others, Uint8Array.of(2))
  expect([found(), kept.find(of('a'), others)]).toEqual(['abcd', Uint8Array.of(1)])
  kept.keep(of('e'), others, Uint8Array.of(1))
  expect(found()).toBe('bcde')
  kept.keep(of('f'), others, Uint8Array.of(1))
  expect(found()).toBe('cdef')
})
