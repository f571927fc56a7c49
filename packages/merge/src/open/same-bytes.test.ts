import { createFileMap } from '@mk/source/web'
import type { Dtype } from '@mk/safetensors'
import { expect, test } from 'vitest'
import { haveSameBytes } from './compare-stored-heads.ts'

/** Compares `count` bytes with the same, of which that at `at` is another. */
function compare(dtype: Dtype, shape: readonly number[], count: number, at?: number) {
  const bytes = Uint8Array.from({ length: count }, (_, index) => index % 251)
  const other = bytes.slice()
  if (at !== undefined) other[at]! ^= 1
  const store = createFileMap(
    new Map([
      ['/a', bytes],
      ['/b', other],
    ]),
  )
  const [a, b] = ['/a', '/b'].map((file) => ({ kind: 'file', dtype, shape, file, byteStart: 0 }) as const)
  return haveSameBytes(store, a!, b!)
}

test.each<[Dtype, readonly number[], number]>([
  ['F16', [3], 6],
  ['U8', [7], 7],
  ['U8', [3], 3],
  ['F32', [2, 2], 16],
  ['F16', [2 ** 19 + 1], 2 ** 20 + 2],
])('any byte of %s %j counts, up to the last', (dtype, shape, count) => {
  expect(compare(dtype, shape, count)).toBe(true)
  for (const at of [0, count >> 1, count - 2, count - 1])
    expect([at, compare(dtype, shape, count, at)]).toEqual([at, false])
})

test('nothing is like nothing', () => {
  expect(compare('F32', [0, 4], 0)).toBe(true)
})
