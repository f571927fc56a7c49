import { type Operator, streamedOperator } from '@mk/linalg'
import { dtypeBytes } from '@mk/safetensors'
import type { SourceReader, TensorSource } from '@mk/source'
import { input, sub } from '@mk/tensor'
import { lower, type Kernel, type Runtime } from '@mk/tensor/runtime'

const BLOCK_BYTES = 2 ** 22

/** What makes operators of differences, one at a time. */
export interface Differences {
  /**
   * Makes an operator of fine − base, or of `fine` itself where it is the difference already, in float32: read block by block.
   * Of the one before nothing is left.
   */
  open(fine: TensorSource, base: TensorSource | undefined): Promise<Operator>
}

/**
 * Creates what makes operators of differences of two sources.
 * @param runtime multiplies, and takes the differences
 * @param cacheBytes a difference up to this size is kept, a larger one is made anew in each pass
 */
export function createDifferences(
  runtime: Runtime,
  reader: Pick<SourceReader, 'read'>,
  cacheBytes: number,
): Differences {
  const kernels = new Map<string, Promise<Kernel>>()
  const buffers = new Map<string, Uint8Array>()
  const buffer = (name: string, byteLength: number): Uint8Array => {
    let found = buffers.get(name)
    if (found === undefined || found.byteLength < byteLength) buffers.set(name, (found = runtime.allocate(byteLength)))
    return found.subarray(0, byteLength)
  }
  const cache = runtime.allocate(cacheBytes)

  return {
    async open(fine, base) {
      const [rows, columns] = fine.shape as readonly [number, number]
      const sources = base === undefined ? [fine] : [fine, base]
      const dtypes = sources.map(({ dtype }) => dtype)
      const value = base === undefined ? input(0) : sub(input(0), input(1))
      const lowered = lower({ stores: [{ value, dtype: 'F32' }] }, dtypes)
      const key = dtypes.join(' ')
      if (!kernels.has(key)) kernels.set(key, runtime.compile(lowered.program))
      const kernel = await kernels.get(key)!
      const isKept = 4 * rows * columns <= cacheBytes
      const kept = new Set<number>()
      return streamedOperator(runtime, {
        rows,
        columns,
        dtype: 'F32',
        blockRows: Math.max(1, Math.floor(BLOCK_BYTES / (4 * columns))),
        async readRows(start, count) {
          const elementCount = count * columns
          const into = isKept
            ? cache.subarray(4 * start * columns, 4 * (start + count) * columns)
            : buffer('difference', 4 * elementCount)
          if (kept.has(start)) return into
          const inputs = sources.map((source, slot) => {
            const bytes = buffer(`input ${slot}`, elementCount * dtypeBytes(source.dtype))
            reader.read(source, start * columns, elementCount, bytes)
            return bytes
          })
          await kernel.run({
            elementCount,
            offset: start * columns,
            columns,
            inputs,
            scalars: lowered.scalars,
            vectors: lowered.vectors,
            outputs: [into],
          })
          if (isKept) kept.add(start)
          return into
        },
      })
    },
  }
}
