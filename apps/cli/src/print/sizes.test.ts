import { describe, expect, it } from 'vitest'
import { formatBytes, formatSeconds, parseSize } from './sizes.ts'

describe('parseSize', () => {
  it.each([
    ['5000000', 5e6],
    ['5B', 5e9],
    ['5b', 5e9],
    ['500M', 5e8],
    ['500MB', 5e8],
    ['1.5 GB', 1.5e9],
    ['2GiB', 2 ** 31],
    ['64k', 64_000],
    ['1T', 1e12],
  ])('%s is %d bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes))

  it.each(['', 'B', '0', '-5B', '5X', '5 0', '1e9', '0.1', 'NaN'])('%j is no size', (text) =>
    expect(parseSize(text)).toBeUndefined(),
  )
})

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.00 kB'],
  [86_904, '86.9 kB'],
  [2_200_000_000, '2.20 GB'],
  [415e9, '415 GB'],
  [12e15, '12000 TB'],
])('%d bytes read %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

it.each([
  [0.04, '0.0 s'],
  [9.94, '9.9 s'],
  [42.4, '42 s'],
  [59.7, '1 min 0 s'],
  [72, '1 min 12 s'],
  [119.8, '2 min 0 s'],
  [7320, '2 h 2 min'],
])('%d seconds read %s', (seconds, text) => expect(formatSeconds(seconds)).toBe(text))
