import { expect, it } from 'vitest'
import { createChunkCache } from './chunk-cache.ts'

const page = 2 ** 16
/** Elements of two bytes. */
const chunk = (slot: number, start: number, end: number) => ({ slot, start, end, byteLength: 2 * (end - start) })

it('finds what was kept, as a whole and within it', () => {
  const cache = createChunkCache(new Uint8Array(4 * page))
  const kept = cache.add(7, chunk(1, 100, 100 + page))!
  expect(kept.length).toBe(2 * page)
  kept.forEach((_, i) => (kept[i] = i % 251))
  expect(cache.get(7, chunk(1, 100, 100 + page))).toBe(kept)
  const part = cache.get(7, chunk(1, 150, 200))!
  expect(part).toEqual(kept.subarray(100, 200))
  expect(part.buffer).toBe(kept.buffer)
  for (const other of [chunk(0, 100, 200), chunk(1, 99, 200), chunk(1, 150, 101 + page)])
    expect(cache.get(7, other)).toBeUndefined()
  expect(cache.get(8, chunk(1, 100, 200))).toBeUndefined()
})

it('tells up to where the inputs that are kept are kept together', () => {
  const cache = createChunkCache(new Uint8Array(4 * page))
  expect(cache.keptUntil(7, 0)).toBeUndefined()
  cache.add(7, chunk(2, 0, 400))
  cache.add(7, chunk(0, 100, 300))
  expect([0, 99, 100, 299, 300, 399, 400].map((start) => cache.keptUntil(7, start))).toEqual([
    400,
    400,
    300,
    300,
    400,
    400,
    undefined,
  ])
  expect(cache.keptUntil(8, 100)).toBeUndefined()
})

it('keeps nothing where there is no room, until a tensor is forgotten', () => {
  const cache = createChunkCache(new Uint8Array(3 * page))
  expect(cache.add(1, chunk(0, 0, page / 2))).toBeDefined()
  expect(cache.add(2, chunk(0, 0, page / 2))).toBeDefined()
  expect(cache.freeBytes()).toBe(page)
  expect(cache.add(3, chunk(0, 0, page))).toBeUndefined()
  cache.forget(1)
  // Two pages are free, but not side by side.
  expect(cache.freeBytes()).toBe(2 * page)
  expect(cache.add(3, chunk(0, 0, page))).toBeUndefined()
  cache.forget(2)
  expect([1, 2].map((tensor) => cache.has(tensor))).toEqual([false, false])
  expect(cache.add(3, chunk(0, 0, page))).toBeDefined()
})
