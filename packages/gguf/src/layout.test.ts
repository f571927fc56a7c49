import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ggmlBytes, ggmlTypes, type GgmlType } from './ggml-types.ts'
import { layoutGguf } from './layout.ts'
import type { GgufArray, GgufMetadata, GgufValue } from './metadata.ts'
import { parseGgufHeader } from './parse-header.ts'

const code = (value: string) => expect.objectContaining({ code: value })
const empty: GgufMetadata = new Map()
const a = { name: 'a.weight', type: 'F32', shape: [2, 3] } as const

const number = fc.oneof(
  ...(
    [
      ['uint8', 0, 255],
      ['int8', -128, 127],
      ['uint16', 0, 65535],
      ['int16', -32768, 32767],
      ['uint32', 0, 2 ** 32 - 1],
      ['int32', -(2 ** 31), 2 ** 31 - 1],
    ] as const
  ).map(([type, min, max]) => fc.record({ type: fc.constant(type), value: fc.integer({ min, max }) })),
  fc.record({ type: fc.constant('float32' as const), value: fc.float({ noNaN: true }) }),
  fc.record({ type: fc.constant('float64' as const), value: fc.double({ noNaN: true }) }),
)
const bigint = fc.oneof(
  fc.record({ type: fc.constant('uint64' as const), value: fc.bigInt(0n, 2n ** 64n - 1n) }),
  fc.record({ type: fc.constant('int64' as const), value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n) }),
)
const text = fc.string({ unit: 'binary' })
const scalar: fc.Arbitrary<GgufValue> = fc.oneof(
  number,
  bigint,
  fc.record({ type: fc.constant('bool' as const), value: fc.boolean() }),
  fc.record({ type: fc.constant('string' as const), value: text }),
)
const flat: fc.Arbitrary<GgufArray> = fc.oneof(
  fc.record({
    type: fc.constant('array' as const),
    elementType: fc.constant('int32' as const),
    values: fc.int32Array(),
  }),
  fc.record({
    type: fc.constant('array' as const),
    elementType: fc.constant('uint64' as const),
    values: fc.bigUint64Array(),
  }),
  fc.record({
    type: fc.constant('array' as const),
    elementType: fc.constant('bool' as const),
    values: fc.array(fc.boolean()),
  }),
  fc.record({
    type: fc.constant('array' as const),
    elementType: fc.constant('string' as const),
    values: fc.array(text),
  }),
)
const nested: fc.Arbitrary<GgufArray> = fc.record({
  type: fc.constant('array' as const),
  elementType: fc.constant('array' as const),
  values: fc.array(flat),
})
const tensor = fc
  .record({
    name: fc.string({ minLength: 1, maxLength: 20 }),
    type: fc.constantFrom(...(Object.keys(ggmlTypes) as GgmlType[])),
    shape: fc.array(fc.nat(3), { maxLength: 3 }),
    last: fc.nat(3),
  })
  .map(({ name, type, shape, last }) => ({ name, type, shape: [...shape, last * ggmlTypes[type].blockElements] }))

describe('layoutGguf', () => {
  it('is read back by parseGgufHeader, whatever the metadata, types and shapes', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.tuple(text, fc.oneof(scalar, flat, nested)), { selector: ([key]) => key, maxLength: 8 }),
        fc.uniqueArray(tensor, { selector: ({ name }) => name, maxLength: 6 }),
        fc.constantFrom(8, 32, 4096, 65536),
        (entries, tensors, alignment) => {
          const metadata = new Map([
            ...entries,
            ['general.alignment', { type: 'uint32', value: alignment }] as [string, GgufValue],
          ])
          const layout = layoutGguf(metadata, tensors)
          const parsed = parseGgufHeader(layout.header, layout.fileBytes)!
          expect([...parsed.metadata]).toEqual([...metadata])
          expect(parsed.tensors).toEqual(layout.tensors)
          expect(parsed).toMatchObject({ version: 3, alignment, headerBytes: layout.header.length })
          expect(layout.tensors.every(({ byteStart }) => byteStart % alignment === 0)).toBe(true)
        },
      ),
    )
  })

  it.each(['a', 'ab', 'abc', 'a'.repeat(700)])('writes headers of any length, here with tokens such as %s', (token) => {
    const values = Array.from({ length: 5000 }, (_, index) => token + index)
    const metadata: GgufMetadata = new Map([
      ['tokens', { type: 'array', elementType: 'string', values }],
      ['types', { type: 'array', elementType: 'int32', values: new Int32Array(5000).fill(1) }],
      ['last', { type: 'uint32', value: 7 }],
    ])
    const { header } = layoutGguf(metadata, [])
    expect(parseGgufHeader(header, header.length)!.metadata).toEqual(metadata)
  })

  it('writes dimensions innermost first, as GGML counts them', () => {
    const { header } = layoutGguf(empty, [a])
    const view = new DataView(header.buffer, header.indexOf(0x61, 24) + a.name.length)
    expect([view.getUint32(0, true), view.getBigUint64(4, true), view.getBigUint64(12, true)]).toEqual([2, 3n, 2n])
  })

  it('pads behind every tensor, the last one too', () => {
    const { header, tensors, fileBytes } = layoutGguf(empty, [a, { ...a, name: 'b.weight' }])
    expect(tensors.map(({ byteStart, byteEnd }) => [byteStart - header.length, byteEnd - header.length])).toEqual([
      [0, 24],
      [32, 56],
    ])
    expect(fileBytes).toBe(header.length + 64)
  })

  it('writes bytes that are no UTF-8 as they were read', () => {
    const metadata: GgufMetadata = new Map([
      ['tokens', { type: 'array', elementType: 'string', values: ['a\udc80é\udcff', '\u{10480}'] }],
    ])
    const { header } = layoutGguf(metadata, [])
    expect(header.includes(0xff)).toBe(true)
    expect(parseGgufHeader(header, header.length)!.metadata).toEqual(metadata)
  })

  it('rejects what could not be read back or loaded', () => {
    const layout = (key: string, value: GgufValue) => () => layoutGguf(new Map([[key, value]]), [])
    expect(() => layoutGguf(empty, [a, a])).toThrow(code('gguf-duplicate-tensor'))
    expect(() => layoutGguf(empty, [{ ...a, name: 'x'.repeat(64) }])).toThrow(code('gguf-name'))
    expect(() => layoutGguf(empty, [{ ...a, name: '' }])).toThrow(code('gguf-name'))
    expect(() => layoutGguf(empty, [{ ...a, type: 'Q8_0' }])).toThrow(code('gguf-shape'))
    expect(() => layoutGguf(empty, [{ ...a, shape: [1, 1, 1, 1, 1] }])).toThrow(code('gguf-shape'))
    expect(() => layoutGguf(empty, [{ ...a, shape: [-1] }])).toThrow(code('gguf-shape'))
    expect(() => layoutGguf(empty, [{ ...a, shape: [2 ** 30, 2 ** 30] }])).toThrow(code('gguf-shape'))
    expect(layout('k', { type: 'uint8', value: 256 })).toThrow(code('gguf-value'))
    expect(layout('k', { type: 'int32', value: 0.5 })).toThrow(code('gguf-value'))
    expect(layout('k', { type: 'uint64', value: -1n })).toThrow(code('gguf-value'))
    for (const value of [0, 4, 24, 2 ** 20])
      expect(layout('general.alignment', { type: 'uint32', value })).toThrow(code('gguf-alignment'))
    expect(layout('general.alignment', { type: 'int32', value: 32 })).toThrow(code('gguf-alignment'))
    expect(layout('k'.repeat(2 ** 16), { type: 'bool', value: true })).toThrow(code('gguf-count'))
    let value: GgufArray = { type: 'array', elementType: 'bool', values: [] }
    for (let depth = 1; depth < 9; depth++) value = { type: 'array', elementType: 'array', values: [value] }
    expect(layout('k', value)).toThrow(code('gguf-nesting'))
  })
})

describe('ggmlBytes', () => {
  it('counts whole blocks, and an empty tensor as nothing', () => {
    expect(ggmlBytes('Q8_0', [3, 64])).toBe(204)
    expect(ggmlBytes('Q4_K', [0, 256])).toBe(0)
    expect(ggmlBytes('F16', [])).toBe(2)
    expect(ggmlBytes('Q4_K', [3, 64])).toBeUndefined()
    expect(ggmlBytes('F32', [0, 2 ** 53])).toBeUndefined()
  })
})

it('headers of any length come back, whichever field their buffer grows at', () => {
  for (const length of [4040, 4050, 4060, 4070, 4080, 20_000]) {
    const values = Array.from({ length }, (_, index) => (index % 3 === 0 ? 'Ġword' : 'a'.repeat(index % 7)))
    const metadata: GgufMetadata = new Map([
      ['pad', { type: 'string', value: 'x'.repeat(length % 100) }],
      ['list', { type: 'array', elementType: 'string', values }],
      ['number', { type: 'uint32', value: 7 }],
    ])
    const { header, fileBytes } = layoutGguf(metadata, [a])
    expect(parseGgufHeader(header, fileBytes)?.metadata).toEqual(metadata)
  }
})
