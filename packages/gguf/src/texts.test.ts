import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeEscaping, encodeText } from './texts.ts'

const character = fc.oneof(
  fc.integer({ min: 0, max: 0xd7ff }),
  fc.integer({ min: 0xe000, max: 0xffff }),
  fc.integer({ min: 0x10000, max: 0x10ffff }),
)

it('gives back any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect([...encodeText(decodeEscaping(bytes))]).toEqual([...bytes])
    }),
    { numRuns: 500 },
  )
})

it('decodes what is UTF-8 as TextDecoder does', () => {
  fc.assert(
    fc.property(fc.array(character), (characters) => {
      const text = String.fromCodePoint(...characters)
      expect(decodeEscaping(new TextEncoder().encode(text))).toBe(text)
    }),
  )
})

it.each([
  ['a sequence that is too long for its number', [0xc0, 0x80], '\udcc0\udc80'],
  ['a surrogate', [0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
  ['a number past Unicode', [0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
  ['a sequence that is cut', [0x61, 0xe2, 0x82], 'a\udce2\udc82'],
  ['a byte that begins none', [0xff, 0xf8, 0x62], '\udcff\udcf8b'],
])('escapes the bytes of %s', (_, bytes, text) => {
  expect(decodeEscaping(Uint8Array.from(bytes))).toBe(text)
})
