import type { TensorSource } from '@mk/source'
import { describe, expect, it } from 'vitest'
import { open, type Part, refuses, unfit } from '../__fixtures__/open-layout.ts'
import { awq } from './awq.ts'
import { bitsandbytes4bit, bitsandbytesInt8 } from './bitsandbytes.ts'
import { compressedIntegers, compressedPacked } from './compressed-tensors.ts'
import { gptq } from './gptq.ts'
import { mlx } from './mlx.ts'
import { mxfp4 } from './mxfp4.ts'
import { compressedFp4, modeloptNvfp4 } from './nvfp4.ts'

it.each([
  [compressedIntegers, 'm.weight', 'I8', 'm'],
  [compressedIntegers, 'm.weight', 'F32', undefined],
  [compressedIntegers, '.weight', 'I8', undefined],
  [compressedPacked, 'm.weight_packed', 'I32', 'm'],
  [compressedPacked, 'm.weight_packed', 'U8', undefined],
  [compressedFp4, 'm.weight_packed', 'U8', 'm'],
  [compressedFp4, 'm.weight_packed', 'I32', undefined],
  [modeloptNvfp4, 'm.weight_scale_2', 'F32', 'm'],
  [mxfp4, 'm_blocks', 'U8', 'm'],
  [mxfp4, 'm_scales', 'U8', 'm'],
  [mxfp4, 'm_blocks', 'F32', undefined],
  [gptq, 'm.g_idx', 'I32', 'm'],
  [gptq, 'm.qzeros', 'I32', 'm'],
  [awq, 'm.qzeros', 'I32', 'm'],
  [awq, 'm.g_idx', 'I32', undefined],
  [mlx, 'm.biases', 'F16', 'm'],
  [bitsandbytesInt8, 'm.SCB', 'F32', 'm'],
  [bitsandbytes4bit, 'm.absmax', 'U8', 'm'],
] as const)('%# knows its parts by name and dtype', (layout, name, dtype, stem) => {
  expect(layout.stemOf(name, { dtype } as TensorSource)).toBe(stem)
})

describe('AWQ', () => {
  const parts = (groups: number): Record<string, Part> => ({
    '.qweight': ['I32', 64, 2],
    '.scales': ['F16', groups, 16],
    '.qzeros': ['I32', groups, 2],
  })

  it.each([
    [2, 32],
    [1, -1],
    [1, 64],
    [64, 1],
  ])('of %i groups has group_size %i', async (groups, size) => {
    for (const key of ['group_size', 'q_group_size']) {
      const { source, name } = await open(awq, parts(groups), { [key]: size })
      expect(name).toBe('m.weight')
      expect(source).toMatchObject({
        shape: [16, 64],
        blockRows: 1,
        blockColumns: 64 / groups,
        source: { bits: 4, along: 'rows', shape: [16, 64], places: [0, 4, 1, 5, 2, 6, 3, 7] },
        zero: { shape: [16, groups] },
        scale: { shape: [16, groups] },
      })
    }
  })

  it.each([0, 2.5, '32', undefined])('refuses group_size %j', async (size) => {
    await expect(open(awq, parts(2), { group_size: size })).rejects.toEqual(
      unfit('group_size', size === undefined ? 'not said' : JSON.stringify(size)),
    )
  })

  it.each([
    [2, 16],
    [3, 32],
    [1, 1],
  ])('refuses %i groups of %i', async (groups, size) => {
    await expect(open(awq, parts(groups), { group_size: size })).rejects.toEqual(
      refuses('.scales', `a row for each ${size} of the 64 inputs`),
    )
  })
})

describe('NVFP4', () => {
  const layouts = [
    [modeloptNvfp4, '.weight', '.weight_scale_2', undefined],
    [compressedFp4, '.weight_packed', '.weight_global_scale', true],
  ] as const

  it.each(layouts)('%# has scales for 16 columns, under one for the tensor or each matrix', async (...layout) => {
    const [form, codes, overall, divides] = layout
    const given = (...scale: number[]): Record<string, Part> => ({
      [codes]: ['U8', 3, 4, 16],
      '.weight_scale': ['F8_E4M3', 3, 4, 2],
      [overall]: ['F32', ...scale],
    })
    const { source, name } = await open(form, given(3))
    expect(name).toBe('m.weight')
    expect(source).toMatchObject({
      shape: [3, 4, 32],
      blockRows: 1,
      blockColumns: 16,
      source: { bits: 4, along: 'columns', values: { format: 'e2m1' } },
      scale: { shape: [3, 4, 2], blockRows: 4, blockColumns: 2 },
    })
    expect((source.scale as { divides?: true }).divides).toBe(divides)
    expect((await open(form, given())).source.scale).toMatchObject({ blockRows: 12, blockColumns: 2 })
    expect((await open(form, given(1))).source.scale).toMatchObject({ blockRows: 12 })
    for (const wrong of [2, 4, 12])
      await expect(open(form, given(wrong))).rejects.toEqual(refuses(overall, 'one number for each matrix'))
  })

  it.each(layouts)('%# refuses what is no matrix', async (form, codes, overall) => {
    for (const shape of [[16], [0, 16], [4, 0]])
      await expect(open(form, { [codes]: ['U8', ...shape], [overall]: ['F32'] })).rejects.toEqual(
        refuses(codes, 'a matrix of U8'),
      )
  })

  it('without a scale of the tensor is MXFP4, with exponents for 32 columns', async () => {
    const given: Record<string, Part> = { '.weight_packed': ['U8', 4, 32], '.weight_scale': ['U8', 4, 2] }
    const { source } = await open(compressedFp4, given)
    expect(source).toMatchObject({
      shape: [4, 64],
      blockColumns: 32,
      scale: { kind: 'packed', bits: 8, shape: [4, 2], values: { format: 'e8m0' } },
    })
  })
})

describe('MLX', () => {
  const parts = (words: number, groups: number, more: Readonly<Record<string, Part>> = {}): Record<string, Part> => ({
    '.weight': ['U32', 4, words],
    '.scales': ['F16', 4, groups],
    '.biases': ['F16', 4, groups],
    ...more,
  })

  it.each([2, 3, 4, 5, 6, 8])('affine has %i bits', async (bits) => {
    const { source } = await open(mlx, parts(2 * bits, 2), { bits, group_size: 32 })
    expect(source).toMatchObject({
      shape: [4, 64],
      blockRows: 1,
      blockColumns: 32,
      source: { bits, along: 'columns', values: { kind: 'integers', offset: 0 } },
      bias: { shape: [4, 2] },
      scale: { kind: 'file' },
    })
  })

  it.each([
    ['mxfp4', 4, 'e2m1', 'e8m0'],
    ['mxfp8', 8, 'e4m3', 'e8m0'],
    ['nvfp4', 4, 'e2m1', 'e4m3'],
  ])('%s has %i bits', async (mode, bits, codes, scales) => {
    const given: Record<string, Part> = { '.weight': ['U32', 4, 2 * bits], '.scales': ['U8', 4, 2] }
    const { source } = await open(mlx, given, { bits, group_size: 32, mode })
    expect(source).toMatchObject({
      source: { bits, values: { kind: 'floats', format: codes } },
      scale: { kind: 'packed', bits: 8, values: { kind: 'floats', format: scales } },
    })
    expect(source).not.toHaveProperty('bias')
    await expect(open(mlx, given, { bits: 12 - bits, group_size: 32, mode })).rejects.toEqual(
      unfit('bits', String(12 - bits)),
    )
  })

  it.each([
    ['bits', { bits: 7, group_size: 32 }, '7'],
    ['bits', { bits: 1, group_size: 32 }, '1'],
    ['mode', { bits: 4, group_size: 32, mode: 'toString' }, '"toString"'],
    ['group_size', { bits: 4, group_size: 0 }, '0'],
    ['group_size', { bits: 4, group_size: 1.5 }, '1.5'],
    ['group_size', { bits: 4 }, 'not said'],
  ])('refuses %s of %j', async (setting, settings, found) => {
    await expect(open(mlx, parts(8, 2), settings)).rejects.toEqual(unfit(setting, found))
  })

  it('takes the settings of a module where it has its own', async () => {
    const settings = { bits: 8, group_size: 16, m: { bits: 4, group_size: 32 } }
    expect((await open(mlx, parts(8, 2), settings)).source.source).toMatchObject({ bits: 4 })
    await expect(open(mlx, parts(8, 2), { bits: 4, group_size: 16 })).rejects.toEqual(
      refuses('.weight', '4 bits a column, and 16 columns for each of the 2 scales of a row'),
    )
  })
})

describe('GPTQ', () => {
  const parts = (bits: number, groups: number, more: Readonly<Record<string, Part>> = {}): Record<string, Part> => ({
    '.qweight': ['I32', 2 * bits, 32],
    '.scales': ['F16', groups, 32],
    '.qzeros': ['I32', groups, bits],
    ...more,
  })

  it.each([2, 3, 4, 8])('has %i bits', async (bits) => {
    const { source } = await open(gptq, parts(bits, 2), { bits })
    expect(source).toMatchObject({
      shape: [32, 64],
      blockRows: 1,
      blockColumns: 32,
      source: { bits, along: 'columns', shape: [32, 64], values: { kind: 'integers', offset: 0 } },
      zero: { bits, along: 'rows', shape: [32, 2], values: { kind: 'integers', offset: 1 } },
    })
    expect(source).not.toHaveProperty('groups')
  })

  it.each([
    [{ checkpoint_format: 'gptq_v2' }, 0],
    [{ format: 'gptq_v2' }, 0],
    [{ checkpoint_format: 'gptq', format: 'gptq_v2' }, 1],
  ])('of %j has zeros less %i', async (format, offset) => {
    const { source } = await open(gptq, parts(4, 2), { bits: 4, ...format })
    expect(source).toMatchObject({ zero: { values: { offset } } })
  })

  it('refuses what it does not know', async () => {
    for (const bits of [5, 1, undefined, '4'])
      await expect(open(gptq, parts(4, 2), { bits })).rejects.toEqual(
        unfit('bits', bits === undefined ? 'not said' : JSON.stringify(bits)),
      )
    await expect(open(gptq, parts(4, 2), { bits: 4, format: 'marlin' })).rejects.toEqual(
      unfit('checkpoint_format', '"marlin"'),
    )
    await expect(open(gptq, parts(4, 2, { '.g_idx': ['I32', 60] }), { bits: 4 })).rejects.toEqual(
      refuses('.qweight', '2, 3, 4 or 8 bits for each of the 60 inputs that g_idx has'),
    )
    await expect(open(gptq, parts(4, 65), { bits: 4 })).rejects.toEqual(
      refuses('.scales', 'a row for each group of the 64 inputs'),
    )
    await expect(open(gptq, parts(4, 65, { '.g_idx': ['I32', 64] }), { bits: 4 })).rejects.toEqual(
      refuses('.scales', 'of the 64 inputs'),
    )
    await expect(open(gptq, parts(4, 33), { bits: 4 })).rejects.toEqual(refuses('.scales', 'of the 64 inputs'))
    const narrow: Record<string, Part> = { ...parts(3, 2), '.qweight': ['I32', 6, 31], '.scales': ['F16', 2, 31] }
    await expect(open(gptq, narrow, { bits: 3 })).rejects.toEqual(refuses('.qweight', 'fill words with 3 bits each'))
  })

  it('has the groups of g_idx, whatever their sizes, and the bits that fit it', async () => {
    const { source } = await open(gptq, parts(4, 33, { '.g_idx': ['I32', 64] }), { bits: 8 })
    expect(source).toMatchObject({ groups: { shape: [64] }, source: { bits: 4 }, blockColumns: 2 })
  })
})

it('MXFP4 of experts is transposed, with exponents for 32 of its rows', async () => {
  const { source, name } = await open(mxfp4, { _blocks: ['U8', 2, 8, 3, 16], _scales: ['U8', 2, 8, 3] })
  expect(name).toBe('m')
  expect(source).toMatchObject({
    shape: [2, 96, 8],
    blockRows: 32,
    blockColumns: 1,
    source: { shape: [2, 96, 8], bits: 4, along: 'rows', values: { format: 'e2m1' }, words: { shape: [2, 48, 8] } },
    scale: { shape: [2, 3, 8], bits: 8, along: 'columns', values: { format: 'e8m0' }, words: { shape: [2, 3, 8] } },
  })
  await expect(open(mxfp4, { _blocks: ['U8', 2, 8, 3, 15], _scales: ['U8', 2, 8, 3] })).rejects.toEqual(
    refuses('_blocks', 'U8 […, …, …, 16]'),
  )
})

describe('bitsandbytes', () => {
  const json = (value: object) => new TextEncoder().encode(JSON.stringify(value))
  const ofState = (kind: string, state: object, parts: Readonly<Record<string, Part>>, settings = {}) =>
    open(
      bitsandbytes4bit,
      { [`.quant_state.bitsandbytes__${kind}`]: ['U8', 40], '.quant_map': ['F32', 16], ...parts },
      settings,
      { [`.quant_state.bitsandbytes__${kind}`]: json(state) },
    )

  it.each(['nf4', 'fp4'])('%s has two codes a byte, the first one high', async (kind) => {
    const state = { shape: [3, 5], blocksize: 8 }
    const { source, name } = await ofState(kind, state, { '': ['U8', 8, 1], '.absmax': ['F32', 2] })
    expect(name).toBe('m')
    expect(source).toMatchObject({
      shape: [3, 5],
      blockRows: 1,
      blockColumns: 8,
      source: { bits: 4, along: 'columns', places: [1, 0], shape: [15], words: { dtype: 'U8', shape: [8] } },
      scale: { kind: 'file', shape: [2] },
    })
  })

  it('has magnitudes that are codes themselves', async () => {
    const state = { shape: [4, 8], blocksize: 8, nested_blocksize: 3, nested_offset: 0.1 }
    const parts: Record<string, Part> = {
      '': ['U8', 16, 1],
      '.absmax': ['U8', 4],
      '.nested_quant_map': ['F32', 256],
      '.nested_absmax': ['F32', 2],
    }
    expect((await ofState('nf4', state, parts)).source.scale).toMatchObject({
      shape: [4],
      blockRows: 1,
      blockColumns: 3,
      bias: Math.fround(0.1),
      source: { bits: 8, shape: [4] },
    })
  })

  it.each([
    [{ shape: [4, 8] }, 'blocksize and shape'],
    [{ shape: [], blocksize: 8 }, 'blocksize and shape'],
    [{ shape: [4, 0], blocksize: 8 }, 'blocksize and shape'],
    [{ shape: [4, 8], blocksize: 8, nested_blocksize: 0, nested_offset: 0 }, 'nested_blocksize and nested_offset'],
    [{ shape: [4, 8], blocksize: 8, nested_blocksize: 3 }, 'nested_blocksize and nested_offset'],
  ])('refuses a state of %j', async (state, expected) => {
    await expect(ofState('nf4', state, { '': ['U8', 16, 1], '.absmax': ['F32', 4] })).rejects.toEqual(
      refuses('.quant_state.bitsandbytes__nf4', expected),
    )
  })

  it('may store its bytes as other dtypes, as many as there are', async () => {
    const state = { shape: [4, 8], blocksize: 8 }
    const absmax: Record<string, Part> = { '.absmax': ['F32', 4] }
    for (const [dtype, count] of [
      ['U8', 16],
      ['I8', 16],
      ['F16', 8],
      ['BF16', 8],
      ['F32', 4],
    ] as const)
      expect((await ofState('nf4', state, { ...absmax, '': [dtype, count, 1] })).source.source).toMatchObject({
        words: { dtype: 'U8', shape: [16] },
      })
    await expect(ofState('nf4', state, { ...absmax, '': ['BF16', 16, 1] })).rejects.toEqual(
      refuses('', '16 bytes, two codes each for the shape [4, 8]'),
    )
  })

  it('of a byte has the largest magnitude of each row, over 127', async () => {
    const parts: Record<string, Part> = { '.weight': ['I8', 4, 6], '.SCB': ['F32', 4], '.weight_format': ['U8'] }
    const format = (byte: number) => open(bitsandbytesInt8, parts, {}, { '.weight_format': Uint8Array.of(byte) })
    const { source } = await format(0)
    expect(source).toMatchObject({ shape: [4, 6], blockRows: 1, blockColumns: 6, scale: { shape: [4] } })
    expect(source.factor! * 127).toBeCloseTo(1, 6)
    await expect(format(1)).rejects.toEqual(refuses('.weight_format', '0, which means weights row by row'))
  })
})

it('reads no more than 64 KiB of a part to know what it is', async () => {
  const parts: Record<string, Part> = { '.weight': ['I8', 4, 6], '.SCB': ['F32', 4], '.weight_format': ['U8', 65_537] }
  await expect(open(bitsandbytesInt8, parts)).rejects.toEqual(refuses('.weight_format', 'a few bytes'))
  const most: Record<string, Part> = { ...parts, '.weight_format': ['U8', 65_536] }
  const { used } = await open(bitsandbytesInt8, most, {}, { '.weight_format': new Uint8Array(65_536) })
  expect(used).toEqual(['m.SCB', 'm.weight', 'm.weight_format'])
})
