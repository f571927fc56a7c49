import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { transposedSource } from '../../transposed-source.ts'
import type { CodeValues, FileSource, PackedSource } from '../../tensor-source.ts'
import { useReader, values } from '../__fixtures__/use-reader.ts'

const reader = useReader()
let stored = 0

/** Words with bits that differ, at a place that isn't aligned. */
function words(dtype: 'U8' | 'I32' | 'U32', shape: readonly number[]): FileSource {
  const file = join(reader.folder, `words-${stored++}`)
  const byteCount = shape.reduce((product, size) => product * size, dtype === 'U8' ? 1 : 4)
  writeFileSync(
    file,
    Uint8Array.from({ length: 3 + byteCount }, (_, i) => (i * 151 + (i >> 3) * 29 + stored) & 255),
  )
  return { kind: 'file', file, byteStart: 3, dtype, shape }
}

const integers = { kind: 'integers', offset: 0 } as const
const packed = (source: Omit<PackedSource, 'kind' | 'dtype'>): PackedSource => ({
  kind: 'packed',
  dtype: 'F32',
  ...source,
})

describe('packed along columns', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('reads codes of %i bits that run on from word to word', (bits) => {
    const of = (dtype: 'U8' | 'I32' | 'U32', wordCount: number, columns: number) =>
      packed({ words: words(dtype, [5, wordCount]), shape: [5, columns], bits, along: 'columns', values: integers })
    expect(reader.mismatch(of('U32', bits, 32))).toBeUndefined()
    expect(reader.mismatch(of('I32', 4, Math.floor(128 / bits)))).toBeUndefined()
    expect(reader.mismatch(of('U8', 11, Math.floor(85 / bits)))).toBeUndefined()
  })

  it.each([
    ['the high nibble first', 'U8', 4, [1, 0]],
    ['an unused rest of each word', 'I32', 3, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]],
    ['an order of their own', 'I32', 4, [0, 4, 1, 5, 2, 6, 3, 7]],
    ['bytes in reverse', 'I32', 8, [3, 2, 1, 0]],
  ] as const)('reads codes with %s', (_, dtype, bits, places) => {
    const shape = [3, 4 * places.length - 1]
    const source = packed({ words: words(dtype, [3, 4]), shape, bits, along: 'columns', places, values: integers })
    expect(reader.mismatch(source)).toBeUndefined()
  })

  it.each<[string, number, CodeValues]>([
    ['less an offset', 4, { kind: 'integers', offset: -8 }],
    ['as E2M1', 4, { kind: 'floats', format: 'e2m1' }],
    ['as E4M3', 8, { kind: 'floats', format: 'e4m3' }],
    ['as E8M0', 8, { kind: 'floats', format: 'e8m0' }],
  ])('takes codes %s', (_, bits, ofCodes) => {
    const source = packed({ words: words('U8', [64, bits]), shape: [64, 8], bits, along: 'columns', values: ofCodes })
    expect(reader.mismatch(source)).toBeUndefined()
  })

  it('looks codes up in a stored table', () => {
    const table = reader.tensor('F32', [16])
    const ofCodes = { kind: 'stored', table } as const
    const shape = [1, 40_001]
    const source = packed({
      words: words('U8', [20_001]),
      shape,
      bits: 4,
      along: 'columns',
      places: [1, 0],
      values: ofCodes,
    })
    expect(reader.mismatch(source, [997])).toBeUndefined()
  })
})

describe('packed along rows', () => {
  it.each([2, 3, 4, 8])('reads codes of %i bits that run on from word to word', (bits) => {
    const of = { shape: [32, 7], bits, along: 'rows', values: integers } as const
    expect(reader.mismatch(packed({ ...of, words: words('I32', [bits, 7]) }))).toBeUndefined()
    expect(reader.mismatch(packed({ ...of, words: transposedSource(words('I32', [7, bits])) }))).toBeUndefined()
  })

  it('reads bytes and orders', () => {
    const of = { bits: 4, along: 'rows', values: integers } as const
    expect(reader.mismatch(packed({ ...of, words: words('U8', [2, 3, 9]), shape: [2, 6, 9] }))).toBeUndefined()
    const places = [0, 4, 1, 5, 2, 6, 3, 7]
    expect(reader.mismatch(packed({ ...of, words: words('I32', [2, 9]), shape: [16, 9], places }))).toBeUndefined()
  })
})

describe('dequantized', () => {
  const codes = () =>
    packed({ words: words('U8', [6, 5]), shape: [6, 10], bits: 4, along: 'columns', values: integers })
  const grid = (columns: number, salt = 0) =>
    reader.tensor(
      'F16',
      [6, columns],
      values(6 * columns, salt).map((value) => (value || 20) / 8),
    )
  const of = () => ({ kind: 'dequantized', dtype: 'F32', shape: [6, 10], source: codes(), blockRows: 1 }) as const

  it('subtracts zeros, adds biases, divides and multiplies once more', () => {
    const source = { ...of(), scale: grid(3), blockColumns: 4 }
    expect(reader.mismatch({ ...source, zero: grid(3, 5) })).toBeUndefined()
    expect(reader.mismatch({ ...source, bias: grid(3, 5) })).toBeUndefined()
    expect(reader.mismatch({ ...source, bias: 0.7 })).toBeUndefined()
    expect(reader.mismatch({ ...source, scale: 1, bias: -1 })).toBeUndefined()
    expect(reader.mismatch({ ...source, divides: true, factor: 1 / 127 })).toBeUndefined()
  })

  it('scales columns by the group that each is in', () => {
    const groups = reader.tensor('I32', [10], [2, 0, 1, 1, 0, 2, 2, 0, 1, 2])
    const source = { ...of(), scale: grid(3), blockColumns: 4, groups }
    expect(reader.mismatch({ ...source, zero: grid(3, 5) })).toBeUndefined()
    expect(reader.mismatch({ ...source, bias: 0.7, factor: 0.3 })).toBeUndefined()
    expect(reader.mismatch({ ...source, divides: true })).toBeUndefined()
  })

  it('takes codes in runs over the rows', () => {
    const source = { ...of(), source: { ...codes(), shape: [60] }, scale: grid(1), blockColumns: 16 }
    expect(reader.mismatch({ ...source, scale: reader.tensor('F32', [4]) })).toBeUndefined()
  })

  it.each([-1, 3])('rejects group %i of three', (group) => {
    const groups = reader.tensor('I32', [10], [2, 0, 1, 1, 0, 2, 2, 0, 1, group])
    const source = { ...of(), scale: grid(3), blockColumns: 4, groups }
    expect(() => reader.read(source)).toThrow(
      expect.objectContaining({
        code: 'group-out-of-range',
        issue: expect.objectContaining({ column: 9, group, groupCount: 3 }),
      }),
    )
  })
})
