import type { Runtime } from '@mk/tensor/runtime'
import { allocateFloats, blockRows, bytesOf, eachBlock, type RowStore } from '../rows/row-store.ts'

/** Multiplies rows with all rows of a store. */
export interface Correlator {
  /**
   * Computes dot products with each row of the store: count × rows of the store. They hold until the next call.
   * @param targets `count` rows
   */
  correlate(targets: Float32Array, count: number): Promise<Float32Array>
}

/** Prepares products with the rows of a store, for up to `most` rows at once; which of them go together changes no byte. */
export async function createCorrelator(runtime: Runtime, rows: RowStore, most: number): Promise<Correlator> {
  const { width, rows: columns } = rows
  const kernel = await runtime.compileProduct({
    left: { dtype: 'F32', transposed: false },
    right: { dtype: 'F32', transposed: true },
    result: 'F32',
  })
  const results = allocateFloats(runtime, most * columns)
  const block = allocateFloats(runtime, Math.min(columns, blockRows(width)) * width)
  return {
    async correlate(targets, count) {
      const left = bytesOf(targets.subarray(0, count * width))
      await eachBlock(rows, block, (part, first, blockCount) =>
        kernel.run({
          rows: count,
          columns: blockCount,
          depth: width,
          left,
          right: bytesOf(part),
          into: bytesOf(results.subarray(first, (count - 1) * columns + first + blockCount)),
          intoStride: columns,
        }),
      )
      return results.subarray(0, count * columns)
    },
  }
}
