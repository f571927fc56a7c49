import type { PackedSource, TensorSource } from '@mk/source'
import { isObject, type ModelConfig } from '../config-quantization.ts'
import { scaleBlocks } from '../scale-blocks.ts'
import { type Layout, type Parts, scaleDtypes } from './layout.ts'

/** What a config group says of weights: bits, and the blocks that have one scale. */
interface WeightSettings {
  readonly bits: number | undefined
  readonly block: readonly number[] | undefined
}

/** Lists what the groups of a config say of integer weights. */
function weightSettings(settings: ModelConfig): readonly WeightSettings[] {
  const groups = isObject(settings['config_groups']) ? Object.values(settings['config_groups']) : []
  return groups.flatMap((group) => {
    const weights = isObject(group) ? group['weights'] : undefined
    if (!isObject(weights)) return []
    const { num_bits: bits, group_size: size, block_structure: block } = weights
    const ofGroup = typeof size === 'number' ? [1, size] : undefined
    return [
      {
        bits: typeof bits === 'number' ? bits : undefined,
        block: Array.isArray(block) ? (block as number[]) : ofGroup,
      },
    ]
  })
}

/** Integers of a byte each, with scales and perhaps zeros: int-quantized and naive-quantized. */
export const compressedIntegers: Layout = {
  stemOf: (name, { dtype }) => (dtype === 'I8' ? /^(?<stem>.+)\.weight$/.exec(name)?.groups?.['stem'] : undefined),
  open(parts) {
    const weight = parts.need('.weight', { dtypes: ['I8'] })
    return scaled(parts, weight, weight.shape, (shape) => parts.find('.weight_zero_point', { dtypes: ['I8'], shape }))
  },
}

/**
 * Integers packed into words, low bits first, running on from word to word, less half of their range; zeros are packed alike, along the rows:
 * pack-quantized. Before 0.20 widths that don't divide 32 left the rest of a word unused.
 */
export const compressedPacked: Layout = {
  stemOf: (name, { dtype }) =>
    dtype === 'I32' ? /^(?<stem>.+)\.weight_packed$/.exec(name)?.groups?.['stem'] : undefined,
  async open(parts) {
    const words = parts.need('.weight_packed', { dtypes: ['I32'] })
    const shape = await shapeOf(parts)
    const columns = shape.at(-1)!
    const packings = weightSettings(parts.settings).flatMap(({ bits }) => (bits === undefined ? [] : packingsOf(bits)))
    const packing = packings.find((each) => each.wordCount(columns) === words.shape.at(-1))
    const rows = shape.slice(0, -1)
    if (packing === undefined || words.shape.slice(0, -1).join() !== rows.join())
      return parts.misfit('.weight_packed', `words for the shape [${shape.join(', ')}] that weight_shape tells`)
    const { bits, places, wordCount } = packing
    const codes = {
      kind: 'packed',
      dtype: 'F32',
      bits,
      ...(places && { places }),
      values: { kind: 'integers', offset: -(2 ** (bits - 1)) },
    } as const
    return scaled(parts, { ...codes, shape, words, along: 'columns' }, shape, (ofScale) => {
      const height = ofScale.at(-2) ?? 1
      const zeroShape = [...ofScale.slice(0, -2), wordCount(height), ofScale.at(-1)!]
      // Before 0.9 zeros weren't packed.
      const plain = parts.dtypeOf('.weight_zero_point') === 'I8'
      if (plain) return parts.find('.weight_zero_point', { dtypes: ['I8'], shape: ofScale })
      const zeros = parts.find('.weight_zero_point', { dtypes: ['I32'], shape: zeroShape })
      if (zeros !== undefined && (height * bits) % 32 !== 0 && ofScale.length > 2)
        parts.misfit('.weight_zero_point', 'zeros that fill their words, where matrices are stacked')
      return zeros && ({ ...codes, shape: ofScale, words: zeros, along: 'rows' } satisfies PackedSource)
    })
  },
}

interface Packing {
  readonly bits: number
  readonly places: readonly number[] | undefined
  wordCount(codes: number): number
}

function packingsOf(bits: number): readonly Packing[] {
  if (!Number.isInteger(bits) || bits < 1 || bits > 8) return []
  const perWord = Math.floor(32 / bits)
  return [
    { bits, places: undefined, wordCount: (codes) => Math.ceil((codes * bits) / 32) },
    {
      bits,
      places: Array.from({ length: perWord }, (_, place) => place),
      wordCount: (codes) => Math.ceil(codes / perWord),
    },
  ]
}

async function shapeOf(parts: Parts): Promise<readonly number[]> {
  const { dtype } = parts.need('.weight_shape', { dtypes: ['I64', 'I32'], shape: [undefined] })
  const bytes = Uint8Array.from(await parts.peek('.weight_shape')).buffer
  const shape = dtype === 'I32' ? [...new Int32Array(bytes)] : [...new BigInt64Array(bytes)].map(Number)
  return shape.length > 1 && shape.every((size) => Number.isSafeInteger(size) && size > 0)
    ? shape
    : parts.misfit('.weight_shape', 'the sizes of a matrix')
}

/** Lays scales over codes. @param zerosOf those for scales of a shape */
function scaled(
  parts: Parts,
  source: TensorSource,
  shape: readonly number[],
  zerosOf: (shape: readonly number[]) => TensorSource | undefined,
) {
  const scale = parts.need('.weight_scale', { dtypes: scaleDtypes })
  const groups = parts.find('.weight_g_idx', { dtypes: ['I32'], shape: [shape.at(-1)] })
  const isGrouped = groups !== undefined && scale.shape.length === 2 && scale.shape[0] === shape[0]
  const blocks = isGrouped
    ? { blockRows: 1, blockColumns: 1 }
    : weightSettings(parts.settings)
        .map(({ block }) => scaleBlocks(shape, scale.shape, block))
        .find((found) => found !== undefined)
  if (blocks === undefined || scale.shape.includes(0))
    return parts.misfit('.weight_scale', `one for [${shape.join(', ')}], or one per row, group or block`)
  const zero = zerosOf(scale.shape)
  return {
    name: `${parts.stem}.weight`,
    source: {
      kind: 'dequantized',
      dtype: 'F32',
      shape,
      source,
      scale,
      ...blocks,
      ...(isGrouped && { groups }),
      ...(zero && { zero }),
    },
  } as const
}
