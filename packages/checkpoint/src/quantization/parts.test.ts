import type { TensorSource } from '@mk/source'
import { expect, test } from 'vitest'
import type { Expectation, StoredSource } from './layouts/layout.ts'
import { partsOf } from './parts.ts'

const stored = (dtype: string, ...shape: readonly number[]) =>
  ({ kind: 'file', dtype, shape, file: 'f', byteStart: 0 }) as unknown as StoredSource
const tensors = new Map<string, TensorSource>([
  ['m.codes', stored('U8', 4, 6)],
  ['m.scale', stored('F32', 4)],
  ['m.empty', stored('U8', 0, 6)],
  ['m.small', stored('U8', 2 ** 16)],
  ['m.large', stored('U8', 2 ** 16 + 1)],
  ['m.words', stored('I32', 2 ** 14 + 1)],
])
const used = new Set<string>()
const parts = partsOf('m', {
  folder: 'dir',
  scheme: 'gptq',
  settings: { bits: 4 },
  tensors,
  readSmall: async ({ shape }) => Uint8Array.of(shape.length),
  used,
})
const expectRefusal = (run: () => unknown, code: string, issue: object) =>
  expect(run).toThrow(
    expect.objectContaining({ code, issue: expect.objectContaining({ folder: 'dir', scheme: 'gptq', ...issue }) }),
  )
const expecting = (dtypes: readonly string[], ...shape: readonly (number | undefined)[]) =>
  ({ dtypes, ...(shape.length > 0 && { shape }) }) as unknown as Expectation

test('a part is found where it is as expected, and is told as used', () => {
  expect(parts.find('.none', expecting(['U8']))).toBeUndefined()
  expect([...used]).toEqual([])
  for (const expected of [expecting(['I8', 'U8']), expecting(['U8'], 4, 6), expecting(['U8'], undefined, 6)])
    expect(parts.find('.codes', expected)).toBe(tensors.get('m.codes'))
  expect([...used]).toEqual(['m.codes'])
  expect(parts.need('.scale', expecting(['F32'], 4))).toBe(tensors.get('m.scale'))
  expect([...used]).toEqual(['m.codes', 'm.scale'])
  expect([parts.stem, parts.settings]).toEqual(['m', { bits: 4 }])
})

test('a part of another form is refused with what was expected', () => {
  const codes = { tensor: 'm.codes', dtype: 'U8', shape: [4, 6] }
  expectRefusal(() => parts.find('.codes', expecting(['I8', 'I32'])), 'quantized-part', {
    ...codes,
    expected: 'I8 or I32',
  })
  expectRefusal(() => parts.find('.codes', expecting(['U8'], 4, 7)), 'quantized-part', {
    ...codes,
    expected: 'U8 [4, 7]',
  })
  expectRefusal(() => parts.need('.codes', expecting(['U8'], 4)), 'quantized-part', { ...codes, expected: 'U8 [4]' })
  expectRefusal(() => parts.find('.codes', expecting(['U8'], undefined, 7)), 'quantized-part', {
    expected: 'U8 […, 7]',
  })
  expectRefusal(() => parts.find('.empty', expecting(['U8'], undefined, 6)), 'quantized-part', {
    expected: 'U8 […, 6]',
  })
  expect(parts.find('.empty', expecting(['U8'], 0, 6))).toBe(tensors.get('m.empty'))
})

test('a part that is needed and not there is named', () => {
  expectRefusal(() => parts.need('.none', expecting(['U8'])), 'quantized-part-missing', {
    tensor: 'm',
    missing: 'm.none',
  })
})

test('the dtype of a part is told before it is taken', () => {
  expect([parts.dtypeOf('.codes'), parts.dtypeOf('.scale'), parts.dtypeOf('.none')]).toEqual(['U8', 'F32', undefined])
})

test('few bytes are read, and no more than 64 KiB', async () => {
  expect(await parts.peek('.codes')).toEqual(Uint8Array.of(2))
  expect(await parts.peek('.small')).toEqual(Uint8Array.of(1))
  for (const part of ['.large', '.words'])
    await expect(parts.peek(part)).rejects.toMatchObject({
      code: 'quantized-part',
      issue: { tensor: `m${part}`, expected: 'a few bytes' },
    })
})

test('a setting that does not fit is told as it stands', () => {
  expectRefusal(() => parts.unfit('bits', 3, '4 or 8'), 'quantized-setting', {
    setting: 'bits',
    found: '3',
    expected: '4 or 8',
  })
  expectRefusal(() => parts.unfit('bits', undefined, '4'), 'quantized-setting', { found: 'not said' })
})
