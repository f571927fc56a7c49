import { describe, expect, it } from 'vitest'
import { flatten, signed, unsigned } from './bytes.ts'

const bytes = (value: Parameters<typeof flatten>[0]): number[] => [...flatten(value)]

describe('LEB128', () => {
  it.each([
    [0, [0]],
    [127, [0x7f]],
    [128, [0x80, 1]],
    [624485, [0xe5, 0x8e, 0x26]],
    [2 ** 32 - 1, [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('encodes %i as an unsigned number', (value, expected) => {
    expect(bytes(unsigned(value))).toEqual(expected)
  })

  it.each([
    [0, [0]],
    [63, [0x3f]],
    [64, [0xc0, 0]],
    [-1, [0x7f]],
    [-64, [0x40]],
    [-65, [0xbf, 0x7f]],
    [-123456, [0xc0, 0xbb, 0x78]],
    [2 ** 31 - 1, [0xff, 0xff, 0xff, 0xff, 0x07]],
    [-(2 ** 31), [0x80, 0x80, 0x80, 0x80, 0x78]],
  ])('encodes %i as a signed number', (value, expected) => {
    expect(bytes(signed(value))).toEqual(expected)
  })
})

it('flattens nested bytes in order', () => {
  expect(bytes([1, [2, [], [Uint8Array.of(3, 4), 5]], Uint8Array.of(), 6])).toEqual([1, 2, 3, 4, 5, 6])
})
