import { describe, expect, test } from 'vitest'
import { unpackCodes } from './unpack.ts'

const codes = (bits: number) => Array.from({ length: 40 }, (_, index) => (index * 7 + 3) % 2 ** bits)

/** Codes in words, each at its place in bits. */
function pack(all: readonly number[], bits: number, bitOf: (index: number) => number): Uint8Array {
  const bytes = new Uint8Array(200)
  for (const [index, code] of all.entries())
    for (let bit = 0; bit < bits; bit++) {
      const at = bitOf(index) + bit
      bytes[at >> 3]! |= ((code >> bit) & 1) << (at & 7)
    }
  return bytes
}

interface Form {
  readonly bits: number
  readonly wordBytes: number
  readonly places?: readonly number[]
}

/** Reads `count` codes from the one at `skipped` on, and sees that nothing else is written. */
function read({ bits, wordBytes, places }: Form, skipped: number, count: number): readonly number[] {
  const bitOf = (index: number) =>
    places === undefined
      ? index * bits
      : Math.floor(index / places.length) * wordBytes * 8 + places[index % places.length]! * bits
  const bytes = pack(codes(bits), bits, bitOf)
  const table = Float32Array.from({ length: 2 ** bits }, (_, code) => 100 + code)
  const into = new Float32Array(60).fill(-1)
  // The run begins at code 2, which is element 5 of those that are read.
  const run = { bytes, wordBytes, bits, places, first: places === undefined ? 2 * bits : 2, from: 5 }
  unpackCodes(run, { table, into, from: 5 + skipped, end: 5 + skipped + count })
  expect(into.every((value, at) => (value === -1) === (at < 5 + skipped || at >= 5 + skipped + count))).toBe(true)
  return [...into.subarray(5 + skipped, 5 + skipped + count)]
}

const forms: readonly Form[] = [
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((bits) => ({ bits, wordBytes: 4 })),
  { bits: 4, wordBytes: 1, places: [1, 0] },
  { bits: 4, wordBytes: 1, places: [0, 1] },
  { bits: 4, wordBytes: 4, places: [0, 4, 1, 5, 2, 6, 3, 7] },
  { bits: 4, wordBytes: 4, places: [1, 0, 3, 2, 5, 4, 7, 6] },
  { bits: 3, wordBytes: 4, places: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  { bits: 8, wordBytes: 4, places: [3, 2, 1, 0] },
]

describe.each(forms)('codes of $bits bits in words of $wordBytes bytes, places $places', (form) => {
  test.each([
    [0, 0],
    [0, 1],
    [0, 7],
    [1, 0],
    [1, 1],
    [1, 6],
    [3, 20],
    [4, 30],
  ])('%i after the first, %i of them, and no other element is touched', (skipped, count) => {
    const expected = codes(form.bits).slice(2 + skipped, 2 + skipped + count)
    expect(read(form, skipped, count)).toEqual(expected.map((code) => 100 + code))
  })
})
