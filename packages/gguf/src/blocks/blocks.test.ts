import { readFileSync } from 'node:fs'
import { encode } from '@mk/tensor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeQ4_0, encodeQ8_0 } from '../__fixtures__/plain-encoders.ts'
import { ggmlTypes } from '../ggml-types.ts'
import { type DecodedGgmlType, decodedGgmlTypes, dequantize } from './dequantize.ts'
import { createBlockEncoder, largestEncoded } from './quantize.ts'

interface Fixtures {
  readonly decoded: Readonly<Record<DecodedGgmlType, { readonly blocks: string; readonly values: string }>>
  readonly encoded: { readonly values: string; readonly blocks: Readonly<Record<'Q8_0' | 'Q4_0', string>> }
}
const { decoded, encoded } = JSON.parse(
  readFileSync(new URL('../__fixtures__/blocks.json', import.meta.url), 'utf8'),
) as Fixtures

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
const floatsOf = (text: string) => new Float32Array(bytesOf(text).buffer)
const bitsOf = (values: Float32Array) => [...new Uint32Array(values.buffer, values.byteOffset, values.length)]

describe('dequantize', () => {
  it.each(decodedGgmlTypes)('decodes %s to the bit as gguf for Python', (type) => {
    const blocks = bytesOf(decoded[type].blocks)
    const expected = floatsOf(decoded[type].values)
    const values = new Float32Array(expected.length)
    dequantize(type, blocks, values)
    expect(bitsOf(values)).toEqual(bitsOf(expected))
    // At an odd place, and without what lies around it.
    const shifted = new Uint8Array(blocks.length + 3).fill(0xff)
    shifted.set(blocks, 1)
    dequantize(type, shifted.subarray(1, blocks.length + 1), values.fill(7))
    expect(bitsOf(values)).toEqual(bitsOf(expected))
  })

  it('gives what a scale that is not finite makes of each element', () => {
    const blocks = new Uint8Array(34).fill(1)
    blocks.set([0, 0x7c, 0, 1, 255])
    const values = new Float32Array(32)
    dequantize('Q8_0', blocks, values)
    expect([...values.subarray(0, 4)]).toEqual([NaN, Infinity, -Infinity, Infinity])
  })

  it('takes whole blocks only', () => {
    for (const [bytes, elements] of [
      [34, 31],
      [33, 32],
      [68, 32],
      [17, 16],
    ] as const)
      expect(() => dequantize('Q8_0', new Uint8Array(bytes), new Float32Array(elements))).toThrow(
        expect.objectContaining({ code: 'gguf-blocks' }),
      )
    dequantize('Q4_K', new Uint8Array(0), new Float32Array(0))
  })
})

it.each(['Q8_0', 'Q4_0'] as const)('the largest magnitude of %s is the last whose scale is finite', (type) => {
  const scaleOf = (value: number) => {
    const blocks = new Uint8Array(ggmlTypes[type].blockBytes)
    createBlockEncoder(type)(new Float32Array(32).fill(value), blocks)
    return blocks[0]! | ((blocks[1]! & 0x7f) << 8)
  }
  const largest = largestEncoded(type)!
  expect(Math.fround(largest)).toBe(largest)
  expect([scaleOf(largest), scaleOf(-largest)]).toEqual([0x7bff, 0x7bff])
  const next = new Float32Array(new Uint32Array([new Uint32Array(Float32Array.of(largest).buffer)[0]! + 1]).buffer)[0]!
  expect(scaleOf(next)).toBe(0x7c00)
  expect(largestEncoded('F16')).toBeUndefined()
})

describe('createBlockEncoder', () => {
  const types = ['Q8_0', 'Q4_0'] as const
  const plain = { Q8_0: encodeQ8_0, Q4_0: encodeQ4_0 }
  const encodeTo = (type: (typeof types)[number], values: Float32Array) => {
    const blocks = new Uint8Array((values.length / 32) * ggmlTypes[type].blockBytes)
    createBlockEncoder(type)(values, blocks)
    return blocks
  }

  it.each(types)('encodes %s to the bit as gguf for Python', (type) => {
    const blocks = encodeTo(type, floatsOf(encoded.values))
    expect(blocksOf(type, blocks)).toEqual(blocksOf(type, bytesOf(encoded.blocks[type])))
  })

  it.each(types)('encodes %s as its formula says, whatever the elements', (type) => {
    fc.assert(
      fc.property(
        fc.array(fc.float(), { minLength: 64, maxLength: 64 }),
        fc.integer({ min: -40, max: 38 }),
        (all, exponent) => {
          for (const values of [
            Float32Array.from(all),
            Float32Array.from(all, (value) => (value % 1) * 10 ** exponent),
          ]) {
            const expected = new Uint8Array(2 * ggmlTypes[type].blockBytes)
            plain[type](values, expected)
            expect(blocksOf(type, encodeTo(type, values))).toEqual(blocksOf(type, expected))
          }
        },
      ),
    )
  })

  it.each(types)('encodes more %s than fit its memory, and nothing', (type) => {
    const values = Float32Array.from({ length: 32 * 1300 }, (_, index) => Math.sin(index) * (1 + index / 1000))
    const expected = new Uint8Array(1300 * ggmlTypes[type].blockBytes)
    plain[type](values, expected)
    expect(Buffer.compare(encodeTo(type, values), expected)).toBe(0)
    expect(encodeTo(type, new Float32Array(0))).toHaveLength(0)
  })

  it('rounds every half and its neighbors as the formula does', () => {
    const near = Array.from({ length: 127 }, (_, q) => [
      q + 0.5,
      q + 0.5 - 2 ** -18,
      q + 0.5 - 2 ** -24,
      q + 0.5 + 2 ** -17,
      -q - 0.5,
    ])
      .flat()
      .map(Math.fround)
    const values = new Float32Array(Math.ceil(near.length / 31) * 32)
    near.forEach((value, index) => (values[Math.floor(index / 31) * 32 + 1 + (index % 31)] = value))
    for (let start = 0; start < values.length; start += 32) values[start] = 127
    const expected = new Uint8Array((values.length / 32) * 34)
    encodeQ8_0(values, expected)
    expect([...encodeTo('Q8_0', values)]).toEqual([...expected])
  })

  it.each(['F32', 'F16', 'BF16'] as const)('encodes %s as @mk/tensor does', (type) => {
    const values = Float32Array.of(1, -0.1, 70000, 1e-7)
    const { blockBytes } = ggmlTypes[type]
    const [blocks, expected] = [new Uint8Array(4 * blockBytes), new Uint8Array(4 * blockBytes)]
    createBlockEncoder(type)(values, blocks)
    encode(type, values, expected, 0)
    expect(blocks).toEqual(expected)
  })

  it('takes whole blocks only', () => {
    expect(() => createBlockEncoder('Q8_0')(new Float32Array(33), new Uint8Array(34))).toThrow(
      '33 elements of Q8_0 are no blocks of 34 bytes',
    )
  })
})

/** One block each, with one NaN for all: their bits aren't specified. */
function blocksOf(type: 'Q8_0' | 'Q4_0', bytes: Uint8Array): number[][] {
  const { blockBytes } = ggmlTypes[type]
  return Array.from({ length: bytes.length / blockBytes }, (_, index) => {
    const block = [...bytes.subarray(index * blockBytes, (index + 1) * blockBytes)]
    const isNaN = (block[1]! & 0x7c) === 0x7c && ((block[1]! & 3) | block[0]!) !== 0
    return isNaN ? [0, 0x7e, ...block.slice(2)] : block
  })
}
