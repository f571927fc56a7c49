import type { DequantizedSource, PackedSource } from '../../tensor-source.ts'
import type { ElementReader } from '../elements/element-reader.ts'
import type { CodeTables } from './code-table.ts'
import { forEachRun } from './read-packed.ts'
import { forEachBlock, scaleBlock } from './scale-blocks.ts'
import type { Scale } from './scale-window.ts'
import { unpackCodes } from './unpack.ts'

/** Codes for which it is less work to scale what each may stand for than each element. */
type FewCodes = DequantizedSource & { readonly source: PackedSource }

/** Tells whether blocks have more elements than there are codes. */
export const hasFewCodes = (dequantized: DequantizedSource): dequantized is FewCodes => {
  const { source, groups, blockColumns } = dequantized
  return (
    source.kind === 'packed' &&
    source.along === 'columns' &&
    groups === undefined &&
    blockColumns >= 2 * 2 ** source.bits
  )
}

/** Creates what reads codes and scales at once, by a table for each block. */
export function createTableScaler(elements: ElementReader, tableOf: CodeTables): Scale {
  const scaled = new Float32Array(256)
  return (source, start, values) => {
    const codes = (source as FewCodes).source
    const plain = tableOf(codes)
    const table = scaled.subarray(0, plain.length)
    forEachRun(elements, codes, start, values.length, (run, runEnd) =>
      forEachBlock(elements, source, start + run.from, runEnd - run.from, (from, end, block) => {
        table.set(plain)
        scaleBlock(source, block, table, 0, table.length)
        unpackCodes(run, { table, into: values, from: run.from + from, end: run.from + end })
      }),
    )
  }
}
