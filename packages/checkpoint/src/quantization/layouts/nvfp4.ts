import type { DequantizedSource, PackedSource } from '@mk/source'
import type { Layout, OpenedWeights, Parts } from './layout.ts'

const u8 = ['U8'] as const

/** Codes of E2M1, two a byte, the first one low, as the weights of a module, with a scale for each group of a row. */
function fp4Weights(
  parts: Parts,
  codes: string,
  scaleOf: (rows: readonly number[], columns: number) => Pick<DequantizedSource, 'scale' | 'blockColumns'>,
): OpenedWeights {
  const words = parts.need(codes, { dtypes: u8 })
  if (words.shape.length < 2 || words.shape.includes(0)) parts.misfit(codes, 'a matrix of U8')
  const rows = words.shape.slice(0, -1)
  const shape = [...rows, 2 * words.shape.at(-1)!]
  const values = { kind: 'floats', format: 'e2m1' } as const
  const source: PackedSource = { kind: 'packed', dtype: 'F32', shape, words, bits: 4, along: 'columns', values }
  return {
    name: `${parts.stem}.weight`,
    source: { kind: 'dequantized', dtype: 'F32', shape, source, blockRows: 1, ...scaleOf(rows, shape.at(-1)!) },
  }
}

/** Scales in E4M3 for groups of 16, with one for the whole tensor. */
function nvfp4Scale(parts: Parts, overall: string, divides: boolean) {
  return (rows: readonly number[], columns: number): Pick<DequantizedSource, 'scale' | 'blockColumns'> => {
    const shape = [...rows, columns / 16]
    const source = parts.need('.weight_scale', { dtypes: ['F8_E4M3'], shape })
    const scale = parts.need(overall, { dtypes: ['F32'] })
    const stacked = rows.slice(0, -1).reduce((product, size) => product * size, 1)
    const count = scale.shape.reduce((product, size) => product * size, 1)
    if (count !== 1 && count !== stacked) parts.misfit(overall, 'one number for each matrix')
    const blockRows = rows.reduce((product, size) => product * size, 1) / count
    const block = { blockRows, blockColumns: columns / 16, ...(divides && { divides }) } as const
    return { scale: { kind: 'dequantized', dtype: 'F32', shape, source, scale, ...block }, blockColumns: 16 }
  }
}

/** NVFP4 as ModelOpt writes it: `weight_scale_2` multiplies the scales. */
export const modeloptNvfp4: Layout = {
  stemOf: (name) => /^(?<stem>.+)\.weight_scale_2$/.exec(name)?.groups?.['stem'],
  open: (parts) => fp4Weights(parts, '.weight', nvfp4Scale(parts, '.weight_scale_2', false)),
}

const fp4Packed: Layout['stemOf'] = (name, { dtype }) =>
  dtype === 'U8' ? /^(?<stem>.+)\.weight_packed$/.exec(name)?.groups?.['stem'] : undefined

/** NVFP4 of compressed-tensors, with the inverse of the scale of the tensor; or, without that, MXFP4: exponents for groups of 32. */
export const compressedFp4: Layout = {
  stemOf: fp4Packed,
  open: (parts) =>
    fp4Weights(parts, '.weight_packed', (rows, columns) => {
      if (parts.dtypeOf('.weight_global_scale') !== undefined)
        return nvfp4Scale(parts, '.weight_global_scale', true)(rows, columns)
      const shape = [...rows, columns / 32]
      const words = parts.need('.weight_scale', { dtypes: u8, shape })
      const values = { kind: 'floats', format: 'e8m0' } as const
      const scale: PackedSource = { kind: 'packed', dtype: 'F32', shape, words, bits: 8, along: 'columns', values }
      return { scale, blockColumns: 32 }
    }),
}
