import { dtypeBytes, elementCount } from '@mk/safetensors'
import type { DequantizedSource, PackedSource, TensorSource } from '@mk/source'
import { isObject, type ModelConfig } from '../config-quantization.ts'
import type { Layout, Parts } from './layout.ts'

const ofState = /^(?<stem>.+)\.(?:absmax|quant_map|nested_absmax|nested_quant_map|quant_state\.bitsandbytes__\w+)$/

/**
 * NF4 and FP4 (`bitsandbytes.functional.QuantState`): two codes a byte, the first one high, whose value times the largest magnitude of their
 * block is the weight. Blocks run on over the rows. Those magnitudes may be codes themselves: double quantization.
 */
export const bitsandbytes4bit: Layout = {
  stemOf: (name) => ofState.exec(name)?.groups?.['stem'],
  async open(parts) {
    const ending = `.quant_state.bitsandbytes__${parts.dtypeOf('.quant_state.bitsandbytes__fp4') === undefined ? 'nf4' : 'fp4'}`
    parts.need(ending, { dtypes: ['U8'], shape: [undefined] })
    const state = parseState(parts, ending, await parts.peek(ending))
    const { shape, blockSize } = state
    const count = elementCount(shape)
    const words = parts.need('', { dtypes: ['U8', 'I8', 'F16', 'BF16', 'F32'] })
    // `bnb_4bit_quant_storage` names the dtype that the bytes are stored as.
    const bytes = { ...words, dtype: 'U8', shape: [Math.ceil(count / 2)] } as const
    if (words.kind !== 'file' || elementCount(words.shape) * dtypeBytes(words.dtype) !== bytes.shape[0])
      parts.misfit('', `${bytes.shape[0]} bytes, two codes each for the shape [${shape.join(', ')}]`)
    const blocks = Math.ceil(count / blockSize)
    const source = packed(parts, '.quant_map', { words: bytes, bits: 4, places: [1, 0], shape: [count] })
    const scale =
      state.nested === undefined
        ? parts.need('.absmax', { dtypes: ['F32'], shape: [blocks] })
        : nestedScale(parts, blocks, state.nested)
    return {
      name: parts.stem,
      source: { kind: 'dequantized', dtype: 'F32', shape, source, scale, blockRows: 1, blockColumns: blockSize },
    }
  },
}

interface NestedState {
  readonly blockSize: number
  readonly offset: number
}

interface QuantState {
  readonly shape: readonly number[]
  readonly blockSize: number
  readonly nested: NestedState | undefined
}

function parseState(parts: Parts, ending: string, bytes: Uint8Array): QuantState {
  const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0
  const state = parseObject(new TextDecoder().decode(bytes))
  const { shape, blocksize, nested_blocksize: nestedBlock, nested_offset: offset } = state
  if (!Array.isArray(shape) || shape.length === 0 || !shape.every(isCount) || !isCount(blocksize))
    return parts.misfit(ending, 'JSON that tells blocksize and shape')
  if (nestedBlock === undefined) return { shape, blockSize: blocksize, nested: undefined }
  if (!isCount(nestedBlock) || typeof offset !== 'number')
    return parts.misfit(ending, 'JSON that tells nested_blocksize and nested_offset, too')
  return { shape, blockSize: blocksize, nested: { blockSize: nestedBlock, offset: Math.fround(offset) } }
}

function parseObject(text: string): ModelConfig {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

function nestedScale(parts: Parts, blocks: number, { blockSize, offset }: NestedState): DequantizedSource {
  const words = parts.need('.absmax', { dtypes: ['U8'], shape: [blocks] })
  return {
    kind: 'dequantized',
    dtype: 'F32',
    shape: [blocks],
    source: packed(parts, '.nested_quant_map', { words, bits: 8, shape: [blocks] }),
    scale: parts.need('.nested_absmax', { dtypes: ['F32'], shape: [Math.ceil(blocks / blockSize)] }),
    blockRows: 1,
    blockColumns: blockSize,
    bias: offset,
  }
}

function packed(
  parts: Parts,
  map: string,
  codes: Pick<PackedSource, 'words' | 'bits' | 'places' | 'shape'>,
): PackedSource {
  const table = parts.need(map, { dtypes: ['F32'], shape: [2 ** codes.bits] })
  return { kind: 'packed', dtype: 'F32', along: 'columns', ...codes, values: { kind: 'stored', table } }
}

/** As bitsandbytes multiplies by it, instead of dividing by 127. */
const reciprocal = Math.fround(7.874015718698502e-3)

/** LLM.int8(): integers times the largest magnitude of their row, over 127. */
export const bitsandbytesInt8: Layout = {
  stemOf: (name) => /^(?<stem>.+)\.(?:SCB|weight_format)$/.exec(name)?.groups?.['stem'],
  async open(parts) {
    const source: TensorSource = parts.need('.weight', { dtypes: ['I8'], shape: [undefined, undefined] })
    const [rows, columns] = source.shape as [number, number]
    const scale = parts.need('.SCB', { dtypes: ['F32'], shape: [rows] })
    const format = parts.find('.weight_format', { dtypes: ['U8'] })
    if (format !== undefined && (await parts.peek('.weight_format')).some((byte) => byte !== 0))
      parts.misfit('.weight_format', '0, which means weights row by row')
    return {
      name: `${parts.stem}.weight`,
      source: {
        kind: 'dequantized',
        dtype: 'F32',
        shape: source.shape,
        source,
        scale,
        blockRows: 1,
        blockColumns: columns,
        factor: reciprocal,
      },
    }
  },
}
