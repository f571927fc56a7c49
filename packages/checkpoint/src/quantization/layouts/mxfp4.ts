import { type PackedSource, transposedSource } from '@mk/source'
import type { Layout, StoredSource } from './layout.ts'

const groupSize = 32

/**
 * MXFP4 as gpt-oss has it: for each row of an expert groups of 32 codes (E2M1, two a byte, the first one low) and their exponents. The weights
 * are the transposes, [experts, in, out], as transformers has them.
 */
export const mxfp4: Layout = {
  stemOf: (name, { dtype }) =>
    dtype === 'U8' ? /^(?<stem>.+)_(?:blocks|scales)$/.exec(name)?.groups?.['stem'] : undefined,
  open(parts) {
    const dtypes = ['U8'] as const
    const blocks = parts.need('_blocks', { dtypes, shape: [undefined, undefined, undefined, groupSize / 2] })
    const [experts, rows, groups] = blocks.shape as [number, number, number]
    const scales = parts.need('_scales', { dtypes, shape: [experts, rows, groups] })
    if (blocks.kind !== 'file') return parts.misfit('_blocks', 'contiguous elements')
    const shape = [experts, groups * groupSize, rows]
    const packed = (
      of: StoredSource,
      codes: Pick<PackedSource, 'shape' | 'bits' | 'along' | 'values'>,
    ): PackedSource => ({
      kind: 'packed',
      dtype: 'F32',
      words: transposedSource(of),
      ...codes,
    })
    return {
      name: parts.stem,
      source: {
        kind: 'dequantized',
        dtype: 'F32',
        shape,
        source: packed(
          { ...blocks, shape: [experts, rows, (groups * groupSize) / 2] },
          { shape, bits: 4, along: 'rows', values: { kind: 'floats', format: 'e2m1' } },
        ),
        scale: packed(scales, {
          shape: [experts, groups, rows],
          bits: 8,
          along: 'columns',
          values: { kind: 'floats', format: 'e8m0' },
        }),
        blockRows: groupSize,
        blockColumns: 1,
      },
    }
  },
}
