import { describe, expect, it } from 'vitest'
import { layoutGguf } from './layout.ts'
import { parseGgufHeader } from './parse-header.ts'

const code = (value: string) => expect.objectContaining({ code: value, fault: 'usage' })

type Field =
  | string
  | Uint8Array
  | { readonly u32: number }
  | { readonly u64: number | bigint }
  | { readonly u8: number }
const u8 = (value: number) => ({ u8: value })
const u32 = (value: number) => ({ u32: value })
const u64 = (value: number | bigint) => ({ u64: value })

/** Bytes of numbers and of texts with their length before them. */
function bytes(...fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.map((field) => {
      if (field instanceof Uint8Array) return field
      if (typeof field === 'string') return Buffer.concat([bytes(u64(Buffer.byteLength(field))), Buffer.from(field)])
      if ('u8' in field) return Buffer.from([field.u8])
      const buffer = Buffer.alloc('u32' in field ? 4 : 8)
      if ('u32' in field) buffer.writeUInt32LE(field.u32)
      else buffer.writeBigUInt64LE(BigInt(field.u64))
      return buffer
    }),
  )
}

const start = (tensors: number | bigint, keys: number | bigint, version = 3) =>
  bytes(Buffer.from('GGUF'), u32(version), u64(tensors), u64(keys))
const parse = (...fields: readonly Field[]) => {
  const file = bytes(...fields)
  return () => parseGgufHeader(file, file.length)
}
/** A file of one tensor, of which parts can be replaced. */
const ofTensor = ({ name = 'w', dimensions = [u64(32)] as Field[], type = 0, offset = 0n, data = 128 } = {}) =>
  parse(start(1, 0), name, u32(dimensions.length), ...dimensions, u32(type), u64(offset), new Uint8Array(data + 31))
const ofKey = (...value: readonly Field[]) => parse(start(0, 1), 'k', ...value)

describe('parseGgufHeader', () => {
  it('asks for more as long as the header goes on, at every length', () => {
    const { header, fileBytes } = layoutGguf(
      new Map([['k', { type: 'array', elementType: 'string', values: ['ab', 'c'] }]]),
      [{ name: 'w', type: 'Q4_0', shape: [64] }],
    )
    const until = header.lastIndexOf(0x40) + 8 + 4 + 8
    for (let length = 0; length < until; length++)
      expect(parseGgufHeader(header.subarray(0, length), fileBytes)).toBeUndefined()
    expect(parseGgufHeader(header.subarray(0, until), fileBytes)!.tensors).toHaveLength(1)
    for (let length = 0; length < until; length++)
      expect(() => parseGgufHeader(header.subarray(0, length), length)).toThrow(/truncated|rest of the file/)
  })

  it('reads version 2, and names what it does not read', () => {
    expect(parse(start(0, 0, 2), new Uint8Array(32))()!.version).toBe(2)
    expect(parse(start(0, 0, 1))).toThrow(code('gguf-version'))
    expect(parse(start(0, 0, 0x03000000))).toThrow(code('gguf-big-endian'))
    expect(parse(Buffer.from('\u001b[2Jxyz'))).toThrow(code('gguf-magic'))
    expect(parse(Buffer.from('GG'))).toThrow(code('gguf-truncated'))
    expect(parse()).toThrow(code('gguf-truncated'))
  })

  it('rejects counts and lengths that the file has no room for, or that nobody has', () => {
    expect(parse(start(2n ** 64n - 1n, 0))).toThrow(code('gguf-count'))
    expect(parse(start(0, 10_000_000))).toThrow(code('gguf-count'))
    expect(parse(start(0, 1000))).toThrow('room for 0')
    expect(parse(start(0, 1), u64(2n ** 63n))).toThrow(code('gguf-count'))
    expect(ofKey(u32(8), u64(1000))).toThrow(code('gguf-count'))
    expect(ofKey(u32(9), u32(0), u64(2n ** 40n))).toThrow(code('gguf-count'))
    expect(ofKey(u32(9), u32(8), u64(5), new Uint8Array(39))).toThrow(code('gguf-count'))
  })

  it('allows the arrays of a header no more elements than a limit, all together', () => {
    const half = [u32(9), u32(0), u64(2 ** 20), new Uint8Array(2 ** 20)]
    expect(parse(start(0, 2), 'a', ...half, 'b', ...half, new Uint8Array(64))()!.metadata.size).toBe(2)
    expect(parse(start(0, 3), 'a', ...half, 'b', ...half, 'c', u32(9), u32(0), u64(1), u8(0))).toThrow(
      'at most 0 are allowed',
    )
  })

  it('rejects values of no type, bools that are none, and arrays in arrays without end', () => {
    expect(ofKey(u32(13), u32(0))).toThrow(code('gguf-value-type'))
    expect(ofKey(u32(9), u32(77), u64(0))).toThrow(code('gguf-value-type'))
    expect(ofKey(u32(7), u8(2))).toThrow(code('gguf-bool'))
    expect(ofKey(u32(9), ...Array.from({ length: 1000 }, () => [u32(9), u64(1)]).flat())).toThrow(code('gguf-nesting'))
  })

  it('rejects keys and names that occur twice or are no text, and keeps values that are none', () => {
    const bad = Buffer.from([0xc3, 0x28])
    expect(parse(start(0, 2), 'k', u32(7), u8(1), 'k', u32(7), u8(1))).toThrow(code('gguf-duplicate-key'))
    expect(parse(start(0, 1), u64(2), bad, u32(7), u8(1))).toThrow(code('gguf-text'))
    expect(parse(start(1, 0), u64(2), bad, new Uint8Array(64))).toThrow(code('gguf-text'))
    expect(ofKey(u32(8), u64(2), bad, new Uint8Array(32))()!.metadata.get('k')).toEqual({
      type: 'string',
      value: '\udcc3(',
    })
    const entry = [u32(1), u64(32), u32(0)]
    expect(parse(start(2, 0), 'w', ...entry, u64(0), 'w', ...entry, u64(128), new Uint8Array(300))).toThrow(
      code('gguf-duplicate-tensor'),
    )
    expect(ofTensor({ name: 'n'.repeat(1025) })).toThrow(code('gguf-count'))
  })

  it('rejects an alignment that is none', () => {
    for (const value of [0, 1, 12, 2 ** 17, 2 ** 32 - 1])
      expect(parse(start(0, 1), 'general.alignment', u32(4), u32(value))).toThrow(code('gguf-alignment'))
    expect(parse(start(0, 1), 'general.alignment', u32(10), u64(32))).toThrow(code('gguf-alignment'))
  })

  it('gives shapes row-major and places counted from the start of the file', () => {
    const [tensor] = ofTensor({ dimensions: [u64(16), u64(2)] })()!.tensors
    expect(tensor).toEqual({ name: 'w', shape: [2, 16], type: 'F32', byteStart: 96, byteEnd: 224 })
  })

  it('rejects tensors without a type, or with a shape of which there is none', () => {
    expect(ofTensor({ type: 5 })).toThrow(code('gguf-tensor-type'))
    expect(ofTensor({ type: 2 ** 31 })).toThrow(code('gguf-tensor-type'))
    expect(ofTensor({ type: 12 })).toThrow(code('gguf-shape'))
    expect(ofTensor({ dimensions: [u64(2n ** 40n), u64(2n ** 40n)] })).toThrow(code('gguf-shape'))
    expect(ofTensor({ dimensions: [u64(0), u64(2n ** 63n)] })).toThrow(code('gguf-shape'))
    expect(ofTensor({ dimensions: Array.from({ length: 5 }, () => u64(1)) })).toThrow(code('gguf-count'))
  })

  it('rejects bytes outside the file, at no aligned place, or of two tensors', () => {
    expect(ofTensor({ offset: 4n })).toThrow(code('gguf-offset'))
    expect(ofTensor({ offset: 64n })).toThrow(code('gguf-out-of-range'))
    expect(ofTensor({ offset: 2n ** 64n - 32n })).toThrow(code('gguf-out-of-range'))
    expect(ofTensor({ data: 96 })).toThrow(code('gguf-out-of-range'))
    const entry = [u32(1), u64(32), u32(0)]
    expect(parse(start(2, 0), 'v', ...entry, u64(96), 'w', ...entry, u64(0), new Uint8Array(400))).toThrow(
      "tensors 'w' and 'v' overlap at byte 192",
    )
  })
})
