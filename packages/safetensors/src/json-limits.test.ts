import { describe, expect, it } from 'vitest'
import { findJsonExcess, parseHeader, parseIndex } from './index.ts'

const limits = { depth: 3, topKeys: 2, keys: 3, values: 8, keyCharacters: 4 }

describe('what a JSON text has too much of', () => {
  it.each([
    ['[[[1]]]', undefined],
    ['[[[[1]]]]', 'lists or objects nested more than 3 levels deep'],
    ['{"a":1,"b":{"c":1}}', undefined],
    ['{"a":1,"b":1,"c":1}', 'more than 2 keys at its top'],
    ['{"a":{"b":1,"c":1,"d":1}}', 'more than 3 keys'],
    ['[1,2,3,4,5,6,7]', undefined],
    ['[1,2,3,4,5,6,7,8]', 'more than 8 values'],
    ['[1,2,3,4,5,[6]]', undefined],
    ['[1,2,3,4,5,6,[7]]', 'more than 8 values'],
    ['[[],[],[],[]]', 'more than 8 values'],
    ['[[],[],[],1]', undefined],
    ['[{},{},{},{}]', 'more than 8 values'],
    ['{"aaaa":1}', undefined],
    ['{"aaaaa":1}', 'a key of 5 characters, where at most 4 are read'],
    ['["[[[[[", "a long text", "\\"[[[[[", "\\\\"]', undefined],
    ['["the end is missing [[[[', undefined],
    ['not JSON', undefined],
  ])('of %s: %s', (text, excess) => {
    expect(findJsonExcess(text, limits)).toBe(excess)
  })
})

const header = (json: string): Uint8Array => {
  const text = Buffer.from(json)
  const bytes = Buffer.alloc(8 + text.length)
  bytes.writeBigUInt64LE(BigInt(text.length))
  text.copy(bytes, 8)
  return bytes
}
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

describe('headers and indexes that cost more than they say', () => {
  it.each([
    [
      'a shape nested 20,000 deep',
      `{"a":{"dtype":"U8","shape":${nested(20_000)},"data_offsets":[0,0]}}`,
      'header-not-json',
    ],
    ['offsets nested 60 deep', `{"a":{"dtype":"U8","shape":[],"data_offsets":${nested(60)}}}`, 'bad-offsets'],
    ['a megabyte of brackets', '['.repeat(1e6), 'header-not-json'],
    [
      'a shape of 10,000 ones',
      `{"a":{"dtype":"U8","shape":[${'1,'.repeat(9999)}1],"data_offsets":[0,1]}}`,
      'too-many-dimensions',
    ],
    ['a name of 300,000 characters', `{"${'a'.repeat(300_000)}":{}}`, 'header-not-json'],
    ['a dtype of a megabyte', `{"a":{"dtype":"${'x'.repeat(1e6)}","shape":[],"data_offsets":[0,0]}}`, 'unknown-dtype'],
    ['a tensor named as a terminal escape', '{"\\u001b[2J":{}}', 'bad-entry'],
  ])('refuses %s', (_, json, code) => {
    const bytes = header(json)
    let caught: unknown
    try {
      parseHeader(bytes, bytes.length)
    } catch (error) {
      caught = error
    }
    expect(caught).toMatchObject({ name: 'SafetensorsError', code })
    expect((caught as Error).message.length).toBeLessThan(500)
    expect((caught as Error).message).not.toContain('\u001b')
  })

  it('reads 64 levels, the header and its entries among them, and 64 of an index', () => {
    const codeOf = (read: () => unknown) => {
      try {
        read()
        return undefined
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    const ofHeader = (depth: number) => {
      const bytes = header(`{"a":{"dtype":"U8","shape":${nested(depth)},"data_offsets":[0,0]}}`)
      return codeOf(() => parseHeader(bytes, bytes.length))
    }
    expect([ofHeader(62), ofHeader(63)]).toEqual(['bad-shape', 'header-not-json'])
    const ofIndex = (depth: number) => codeOf(() => parseIndex(`{"weight_map":{},"metadata":{"a":${nested(depth)}}}`))
    expect([ofIndex(62), ofIndex(63)]).toEqual([undefined, 'bad-index'])
  })

  it('refuses a header and an index of more tensors than any file has', () => {
    const names = Array.from({ length: 2 ** 18 + 1 }, (_, index) => `"w${index}":"a"`).join(',')
    const bytes = header(`{${names}}`)
    expect(() => parseHeader(bytes, bytes.length)).toThrow(/more than 131072 keys at its top/)
    expect(() =>
      parseIndex(`{"weight_map":{${names},${Array.from({ length: 1000 }, (_, index) => `"x${index}":"a"`).join()}}}`),
    ).toThrow(expect.objectContaining({ code: 'bad-index', message: expect.stringContaining('more than 263144 keys') }))
  })
})
