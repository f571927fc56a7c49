import { decode } from '@mk/tensor'
import { GgufError } from '../errors.ts'
import { type GgmlType, ggmlTypes } from '../ggml-types.ts'
import { decodeQ2_K, decodeQ3_K, decodeQ4_K, decodeQ5_K, decodeQ6_K } from './decode-k-quants.ts'
import {
  type BlockDecoder,
  decodeMXFP4,
  decodeQ4_0,
  decodeQ4_1,
  decodeQ5_0,
  decodeQ5_1,
  decodeQ8_0,
} from './decode-simple.ts'

const decoders = {
  F32: (blocks, into) => decode('F32', blocks, 0, into),
  F16: (blocks, into) => decode('F16', blocks, 0, into),
  BF16: (blocks, into) => decode('BF16', blocks, 0, into),
  Q8_0: decodeQ8_0,
  Q4_0: decodeQ4_0,
  Q4_1: decodeQ4_1,
  Q5_0: decodeQ5_0,
  Q5_1: decodeQ5_1,
  Q2_K: decodeQ2_K,
  Q3_K: decodeQ3_K,
  Q4_K: decodeQ4_K,
  Q5_K: decodeQ5_K,
  Q6_K: decodeQ6_K,
  MXFP4: decodeMXFP4,
} as const satisfies Partial<Record<GgmlType, BlockDecoder>>

/** A type that `dequantize` knows. */
export type DecodedGgmlType = keyof typeof decoders

/** The types that `dequantize` knows. */
export const decodedGgmlTypes = Object.keys(decoders) as readonly DecodedGgmlType[]

/** Tells whether `dequantize` knows a type. */
export const isDecodedGgmlType = (type: GgmlType): type is DecodedGgmlType => Object.hasOwn(decoders, type)

/**
 * Decodes blocks to float32, to the bit as ggml and `gguf` for Python do. Infinity and NaN in a block's scale are those of all
 * its elements, or NaN.
 * @param blocks whole ones, one behind the other, at any alignment
 * @param into of as many elements as the blocks have
 * @throws GgufError 'gguf-blocks' where the sizes don't fit
 */
export function dequantize(type: DecodedGgmlType, blocks: Uint8Array, into: Float32Array): void {
  checkBlocks(type, blocks, into)
  decoders[type](blocks, into)
}

/** @throws GgufError 'gguf-blocks' where the elements are not those of the blocks */
export function checkBlocks(type: GgmlType, blocks: Uint8Array, elements: Float32Array): void {
  const { blockElements, blockBytes } = ggmlTypes[type]
  const isWhole = elements.length % blockElements === 0
  if (!isWhole || blocks.length !== (elements.length / blockElements) * blockBytes)
    throw new GgufError({ code: 'gguf-blocks', type, elements: elements.length, bytes: blocks.length })
}
