import { type PackedSource, transposedSource } from '@mk/source'
import { type Layout, type Parts, scaleDtypes, type StoredSource, wordDtypes } from './layout.ts'

const widths = [2, 3, 4, 8]

/** The first version stores zeros less 1. */
const zeroOffsets: Readonly<Record<string, number>> = { gptq: 1, gptq_v2: 0 }

/**
 * GPTQ as AutoGPTQ and GPTQModel write it: integers along the columns of `qweight` [in · bits / 32, out], low bits first, running on
 * from word to word, with a scale and a zero for each group of inputs; `g_idx` lists the group of each input.
 */
export const gptq: Layout = {
  stemOf: (name) => /^(?<stem>.+)\.(?:qweight|qzeros|g_idx)$/.exec(name)?.groups?.['stem'],
  open(parts) {
    const words = parts.need('.qweight', { dtypes: wordDtypes, shape: [undefined, undefined] })
    const [wordRows, rows] = words.shape as [number, number]
    const groupOf = parts.find('.g_idx', { dtypes: ['I32'], shape: [undefined] })
    const { bits, columns } = widthOf(parts, wordRows, groupOf)
    const scales = parts.need('.scales', { dtypes: scaleDtypes, shape: [undefined, rows] })
    const groups = scales.shape[0]!
    const blockColumns = Math.ceil(columns / groups)
    if (groups > columns || (groupOf === undefined && Math.ceil(columns / blockColumns) !== groups))
      parts.misfit('.scales', `a row for each group of the ${columns} inputs`)
    if ((rows * bits) % 32 !== 0) parts.misfit('.qweight', `as many columns as fill words with ${bits} bits each`)
    const zeros = parts.need('.qzeros', { dtypes: wordDtypes, shape: [groups, (rows * bits) / 32] })
    const codes = { kind: 'packed', dtype: 'F32', bits } as const
    const source: PackedSource = {
      ...codes,
      shape: [rows, columns],
      words: transposedSource(words),
      along: 'columns',
      values: { kind: 'integers', offset: 0 },
    }
    const zero: PackedSource = {
      ...codes,
      shape: [rows, groups],
      words: transposedSource(zeros),
      along: 'rows',
      values: { kind: 'integers', offset: zeroOffset(parts) },
    }
    return {
      name: `${parts.stem}.weight`,
      source: {
        kind: 'dequantized',
        dtype: 'F32',
        shape: [rows, columns],
        source,
        scale: transposedSource(scales),
        zero,
        blockRows: 1,
        blockColumns,
        ...(groupOf && { groups: groupOf }),
      },
    }
  },
}

/** Bits of a code and codes of a row; modules may have others than config.json says, and `g_idx` then tells. */
function widthOf(parts: Parts, wordRows: number, groupOf: StoredSource | undefined) {
  const said = parts.settings['bits']
  const columns = groupOf === undefined ? (typeof said === 'number' ? (wordRows * 32) / said : NaN) : groupOf.shape[0]!
  const bits = (wordRows * 32) / columns
  if (widths.includes(bits) && Number.isInteger(columns)) return { bits, columns }
  return groupOf === undefined
    ? parts.unfit('bits', said, '2, 3, 4 or 8')
    : parts.misfit('.qweight', `2, 3, 4 or 8 bits for each of the ${columns} inputs that g_idx has`)
}

function zeroOffset({ settings, unfit }: Parts): number {
  const format = settings['checkpoint_format'] ?? settings['format'] ?? 'gptq'
  const offset = typeof format === 'string' && Object.hasOwn(zeroOffsets, format) ? zeroOffsets[format] : undefined
  return offset ?? unfit('checkpoint_format', format, Object.keys(zeroOffsets).join(' or '))
}
