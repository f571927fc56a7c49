import { hasCode } from '@mk/errors'
import { createWasmRuntime } from '@mk/runtime-wasm'
import { createSourceReader } from '@mk/source/node'
import { LoraError } from '../errors.ts'
import { createDifferences } from '../factors/difference.ts'
import { factorsOf, leadingVectors } from '../factors/leading.ts'
import { storeProduct } from '../factors/product.ts'
import type { Decomposer } from './task.ts'

const MEMORY_BYTES = 2 ** 30

/**
 * Opens what decomposes differences of weights in this thread: they are taken in float32, and multiplied by WebAssembly.
 * @param cacheBytes a difference up to this size is kept, a larger one is made anew from the files in each pass
 */
export function createDecomposer({ cacheBytes }: { readonly cacheBytes: number }): Decomposer {
  const runtime = createWasmRuntime({ memoryBytes: MEMORY_BYTES })
  const reader = createSourceReader()
  const differences = createDifferences(runtime, reader, cacheBytes)
  return {
    async decompose(task) {
      try {
        const found = await leadingVectors(await differences.open(task.fine, task.base), task)
        const { product, squares } = factorsOf(found, task)
        const rank = product.a.rows
        const { squaredNorm } = found
        return {
          rank,
          ...storeProduct(product, rank, task.dtype),
          squaredNorm,
          squaredError: Math.max(0, squaredNorm - squares),
        }
      } catch (error) {
        if (hasCode(error, 'not-finite-norm') || hasCode(error, 'matrix-not-finite'))
          throw new LoraError({ code: 'extract-not-finite', tensor: task.tensor }, { cause: error })
        throw error
      }
    },
    async close() {
      reader.close()
      await runtime.close()
    },
  }
}
