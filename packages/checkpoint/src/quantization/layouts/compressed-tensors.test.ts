import { describe, expect, it } from 'vitest'
import { open, type Part, refuses } from '../__fixtures__/open-layout.ts'
import { compressedIntegers, compressedPacked } from './compressed-tensors.ts'

const weights = (group: object) => ({ config_groups: { a: { weights: group } } })

describe('integers packed by compressed-tensors', () => {
  const shaped = (rows: number, columns: number, dtype: 'I64' | 'I32' = 'I64') => ({
    '.weight_shape':
      dtype === 'I64' ? BigInt64Array.from([rows, columns].map(BigInt)) : Int32Array.from([rows, columns]),
  })
  const parts = (words: number, more: Readonly<Record<string, Part>> = {}): Record<string, Part> => ({
    '.weight_packed': ['I32', 4, words],
    '.weight_shape': ['I64', 2],
    '.weight_scale': ['BF16', 4, 1],
    ...more,
  })

  it.each([
    // bits, columns, words of a row, codes of a word where these don't run on
    [4, 16, 2, undefined],
    [8, 5, 2, undefined],
    [3, 32, 3, undefined],
    [3, 11, 2, undefined],
    [3, 32, 4, 10],
    [5, 12, 2, undefined],
    [5, 32, 6, 6],
    [1, 64, 2, undefined],
    [7, 16, 4, undefined],
  ])('have %i bits, %i columns in %i words', async (bits, columns, words, perWord) => {
    const { source, name, used } = await open(
      compressedPacked,
      parts(words),
      weights({ num_bits: bits }),
      shaped(4, columns),
    )
    expect(name).toBe('m.weight')
    expect(used).toEqual(['m.weight_packed', 'm.weight_scale', 'm.weight_shape'])
    expect(source).toMatchObject({ shape: [4, columns], blockRows: 1, blockColumns: columns, scale: { shape: [4, 1] } })
    expect(source).not.toHaveProperty('zero')
    const codes = source.source as { places?: readonly number[] }
    expect(codes).toMatchObject({ bits, along: 'columns', values: { kind: 'integers', offset: -(2 ** (bits - 1)) } })
    expect(codes.places).toEqual(perWord === undefined ? undefined : Array.from({ length: perWord }, (_, at) => at))
  })

  it.each([0, 9, 2.5, 16])('have no %d bits', async (bits) => {
    const words = Math.max(1, Math.ceil((16 * bits) / 32))
    const opened = open(compressedPacked, parts(words), weights({ num_bits: bits }), shaped(4, 16))
    await expect(opened).rejects.toEqual(refuses('.weight_packed', 'words for the shape [4, 16]'))
  })

  it('may tell their shape in 32 bits', async () => {
    const given = parts(2, { '.weight_shape': ['I32', 2] })
    const { source } = await open(compressedPacked, given, weights({ num_bits: 4 }), shaped(4, 16, 'I32'))
    expect(source.shape).toEqual([4, 16])
  })

  it.each([
    [0, 16],
    [4, -1],
  ])('have no shape [%i, %i]', async (rows, columns) => {
    const opened = open(compressedPacked, parts(2), weights({ num_bits: 4 }), shaped(rows, columns))
    await expect(opened).rejects.toEqual(refuses('.weight_shape', 'the sizes of a matrix'))
  })

  it('have as many rows of words as the shape has', async () => {
    const opened = open(compressedPacked, parts(2), weights({ num_bits: 4 }), shaped(3, 16))
    await expect(opened).rejects.toEqual(refuses('.weight_packed', 'words for the shape [3, 16]'))
  })

  it('have zeros of a byte, or packed along the rows', async () => {
    const settings = weights({ num_bits: 4, group_size: 8 })
    const scale: Record<string, Part> = { '.weight_scale': ['BF16', 4, 2] }
    const plain = parts(2, { ...scale, '.weight_zero_point': ['I8', 4, 2] })
    expect((await open(compressedPacked, plain, settings, shaped(4, 16))).source).toMatchObject({
      blockColumns: 8,
      zero: { kind: 'file', dtype: 'I8', shape: [4, 2] },
    })
    const packed = parts(2, { ...scale, '.weight_zero_point': ['I32', 1, 2] })
    expect((await open(compressedPacked, packed, settings, shaped(4, 16))).source).toMatchObject({
      zero: { kind: 'packed', bits: 4, along: 'rows', shape: [4, 2], words: { shape: [1, 2] } },
    })
    const wrong = parts(2, { ...scale, '.weight_zero_point': ['I32', 2, 2] })
    await expect(open(compressedPacked, wrong, settings, shaped(4, 16))).rejects.toEqual(
      refuses('.weight_zero_point', 'I32 [1, 2]'),
    )
  })

  it('of stacked matrices have zeros that fill their words, or none', async () => {
    const stacked = (rows: number) => {
      const given: Record<string, Part> = {
        '.weight_packed': ['I32', 2, rows, 2],
        '.weight_shape': ['I64', 3],
        '.weight_scale': ['BF16', 2, rows, 1],
        '.weight_zero_point': ['I32', 2, 1, 1],
      }
      const shape = { '.weight_shape': BigInt64Array.from([2, rows, 16].map(BigInt)) }
      return open(compressedPacked, given, weights({ num_bits: 4 }), shape)
    }
    expect((await stacked(8)).source).toMatchObject({ zero: { shape: [2, 8, 1] } })
    await expect(stacked(4)).rejects.toEqual(refuses('.weight_zero_point', 'zeros that fill their words'))
  })

  it('takes the packing and the block of the first group that fits', async () => {
    const settings = {
      config_groups: {
        a: { weights: { num_bits: 8, group_size: 4 } },
        b: {},
        c: { weights: { num_bits: 4, group_size: 8 } },
        d: { weights: { num_bits: 4, group_size: 5 } },
      },
    }
    const given = parts(2, { '.weight_scale': ['BF16', 4, 2] })
    const { source } = await open(compressedPacked, given, settings, shaped(4, 16))
    expect(source).toMatchObject({ source: { bits: 4 }, blockColumns: 8 })
  })

  it.each([-1, 0, 2.5, null, '8'])('takes a group of %j columns for none', async (group_size) => {
    const { source } = await open(compressedPacked, parts(2), weights({ num_bits: 4, group_size }), shaped(4, 16))
    expect(source).toMatchObject({ blockRows: 1, blockColumns: 16 })
    const halves = parts(2, { '.weight_scale': ['BF16', 4, 2] })
    const equal = await open(compressedPacked, halves, weights({ num_bits: 4, group_size }), shaped(4, 16))
    expect(equal.source).toMatchObject({ blockRows: 1, blockColumns: 8 })
  })

  it('may list the group of each column', async () => {
    const given = parts(2, { '.weight_scale': ['BF16', 4, 3], '.weight_g_idx': ['I32', 16] })
    const { source } = await open(compressedPacked, given, weights({ num_bits: 4 }), shaped(4, 16))
    expect(source).toMatchObject({ blockRows: 1, blockColumns: 1, groups: { shape: [16] } })
  })
})

describe('integers of a byte of compressed-tensors', () => {
  it('have blocks as their config tells, or one scale a row', async () => {
    const given: Record<string, Part> = { '.weight': ['I8', 4, 6], '.weight_scale': ['F32', 2, 2] }
    const { source } = await open(compressedIntegers, given, weights({ block_structure: [2, 3] }))
    expect(source).toMatchObject({ shape: [4, 6], blockRows: 2, blockColumns: 3 })
    const ofRows: Record<string, Part> = { '.weight': ['I8', 4, 6], '.weight_scale': ['F32', 4, 1] }
    expect((await open(compressedIntegers, ofRows, weights({}))).source).toMatchObject({
      blockRows: 1,
      blockColumns: 6,
    })
  })

  it.each<Part>([
    ['F32', 3, 1],
    ['F32', 0],
  ])('refuses scales %j', async (...scale) => {
    const given: Record<string, Part> = { '.weight': ['I8', 4, 6], '.weight_scale': scale as unknown as Part }
    await expect(open(compressedIntegers, given, weights({}))).rejects.toEqual(
      refuses('.weight_scale', 'one for [4, 6], or one per row, group or block'),
    )
  })
})
