import { dtypeBytes } from '@mk/safetensors'
import type { TensorSource } from '../tensor-source.ts'
import type { ReadContext } from './read-context.ts'
import { scratchBlockBytes } from './scratch.ts'
import { widen } from './widen.ts'

/** As many elements as fit a scratch block whatever their dtype. */
export const pieceElements = scratchBlockBytes / 8

/** Reads elements widened to float32, as many as `into` holds. */
export function readFloats(context: ReadContext, source: TensorSource, start: number, into: Float32Array): void {
  const elementBytes = dtypeBytes(source.dtype)
  context.scratch.withBlock((block) => {
    for (let done = 0; done < into.length; done += pieceElements) {
      const count = Math.min(pieceElements, into.length - done)
      const bytes = block.subarray(0, count * elementBytes)
      context.read(source, start + done, count, bytes)
      widen(source.dtype, bytes, into.subarray(done, done + count))
    }
  })
}

/** Lends float32 elements; they are not cleared. More than fit a scratch block are allocated. */
export function withFloats<T>({ scratch }: ReadContext, count: number, use: (values: Float32Array) => T): T {
  if (count * 4 > scratchBlockBytes) return use(new Float32Array(count))
  return scratch.withBlock((block) => use(new Float32Array(block.buffer as ArrayBuffer, block.byteOffset, count)))
}
