import { encode } from '@mk/tensor'
import type { GgmlType } from '../ggml-types.ts'
import { checkBlocks } from './dequantize.ts'
import { type BlockType, generateEncoder } from './generate-encoder.ts'

/**
 * Encodes float32 elements in whole blocks, which follow one another.
 * @param values whole blocks of them
 * @param into of as many bytes as their blocks take
 * @throws GgufError 'gguf-blocks' where the sizes don't fit
 */
export type BlockEncoder = (values: Float32Array, into: Uint8Array) => void

const creators = {
  F32: () => (values, into) => encode('F32', values, into, 0),
  F16: () => (values, into) => encode('F16', values, into, 0),
  BF16: () => (values, into) => encode('BF16', values, into, 0),
  Q8_0: () => createGenerated('Q8_0'),
  Q4_0: () => createGenerated('Q4_0'),
} as const satisfies Partial<Record<GgmlType, () => BlockEncoder>>

/** A type that elements can be encoded in. */
export type EncodedGgmlType = keyof typeof creators

/** The types that elements can be encoded in. */
export const encodedGgmlTypes = Object.keys(creators) as readonly EncodedGgmlType[]

/** Tells whether elements can be encoded in a type. */
export const isEncodedGgmlType = (type: GgmlType): type is EncodedGgmlType => Object.hasOwn(creators, type)

/**
 * Gives the largest magnitude of which the scale of a block is finite: that before half a step past the largest F16, times what the scale
 * is multiplied with. Undefined for plain numbers.
 */
export const largestEncoded = (type: EncodedGgmlType): number | undefined => largest[type]

const largest: Readonly<Partial<Record<EncodedGgmlType, number>>> = {
  Q8_0: 65520 * 127 - 2 ** -1,
  Q4_0: 65520 * 8 - 2 ** -5,
}

/**
 * Creates an encoder of float32, to the bit as ggml's reference and `gguf` for Python: plain numbers and scales to nearest even,
 * Q8_0 to nearest and halves away from zero. Past the largest finite number a scale becomes infinite. A block with NaN or infinity
 * in it gets a scale that is one, so that none of its elements is finite when it is read. The bits of a NaN are unspecified.
 */
export function createBlockEncoder(type: EncodedGgmlType): BlockEncoder {
  const encodeBlocks = creators[type]()
  return (values, into) => {
    checkBlocks(type, into, values)
    encodeBlocks(values, into)
  }
}

/** Elements that are encoded at once: what they and their blocks take stays in the caches next to the processor. */
const batch = { elements: 2 ** 14, blocks: 2 ** 9 }

/** Encodes in memory of its own, of two pages: a page of elements, and what becomes of them. */
function createGenerated(type: BlockType): BlockEncoder {
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 })
  const module = new WebAssembly.Module(generateEncoder(type, 2))
  const { run } = new WebAssembly.Instance(module, { env: { memory } }).exports
  const elements = new Float32Array(memory.buffer, 0, batch.elements)
  const encoded = new Uint8Array(memory.buffer, elements.byteLength)
  return (values, into) => {
    const blockBytes = into.length / (values.length / 32)
    for (let start = 0, byte = 0; start < values.length; start += batch.elements, byte += batch.blocks * blockBytes) {
      const part = values.subarray(start, start + batch.elements)
      elements.set(part)
      ;(run as (values: number, end: number, target: number) => void)(0, part.byteLength, elements.byteLength)
      into.set(encoded.subarray(0, (part.length / 32) * blockBytes), byte)
    }
  }
}
