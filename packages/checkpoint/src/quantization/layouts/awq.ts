import { type PackedSource, transposedSource } from '@mk/source'
import { type Layout, type Parts, scaleDtypes, type StoredSource, wordDtypes } from './layout.ts'

const bits = 4
const perWord = 32 / bits

/** Where each of eight neighboring columns lies in its word, in nibbles from the low end. */
const places = [0, 4, 1, 5, 2, 6, 3, 7]

/**
 * AWQ as AutoAWQ's GEMM writes it: `qweight` [in, out / 8] and `qzeros` [groups, out / 8] have eight outputs a word, in an order of their own,
 * `scales` [groups, out] one number for each group of inputs.
 */
export const awq: Layout = {
  stemOf: (name) => /^(?<stem>.+)\.(?:qweight|qzeros)$/.exec(name)?.groups?.['stem'],
  open(parts) {
    const words = parts.need('.qweight', { dtypes: wordDtypes, shape: [undefined, undefined] })
    const [columns, wordColumns] = words.shape as [number, number]
    const rows = wordColumns * perWord
    const scales = parts.need('.scales', { dtypes: scaleDtypes, shape: [undefined, rows] })
    const groups = scales.shape[0]!
    if (columns % groups !== 0 || columns / groups !== groupSize(parts, columns))
      parts.misfit('.scales', `a row for each ${groupSize(parts, columns)} of the ${columns} inputs`)
    const zeros = parts.need('.qzeros', { dtypes: wordDtypes, shape: [groups, wordColumns] })
    const codes = (of: StoredSource, width: number): PackedSource => ({
      kind: 'packed',
      dtype: 'F32',
      shape: [rows, width],
      words: transposedSource(of),
      bits,
      along: 'rows',
      places,
      values: { kind: 'integers', offset: 0 },
    })
    return {
      name: `${parts.stem}.weight`,
      source: {
        kind: 'dequantized',
        dtype: 'F32',
        shape: [rows, columns],
        source: codes(words, columns),
        scale: transposedSource(scales),
        zero: codes(zeros, groups),
        blockRows: 1,
        blockColumns: columns / groups,
      },
    }
  },
}

function groupSize({ settings, unfit }: Parts, columns: number): number {
  const size = settings['group_size'] ?? settings['q_group_size']
  if (size === -1) return columns
  return typeof size === 'number' && Number.isInteger(size) && size > 0
    ? size
    : unfit('group_size', size, 'how many inputs have one scale, or -1 for all')
}
