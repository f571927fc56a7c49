import { dtypeBytes } from '@mk/safetensors'
import { decode } from '@mk/tensor'
import type { TensorSource } from '../../tensor-source.ts'
import { createScratch, type Scratch, stepElements } from './scratch.ts'

/** Fills `into`, which has exactly the bytes of `count` elements of the source's dtype, with those from `start` on. */
export type ReadElements<Source extends TensorSource = TensorSource> = (
  source: Source,
  start: number,
  count: number,
  into: Uint8Array,
) => void

/** What the readers of sources that are made of others read those with. */
export interface ElementReader {
  readonly read: ReadElements
  /** Reads elements from `start` on, widened to float32, as many as `into` holds. */
  readFloats(source: TensorSource, start: number, into: Float32Array): void
  readonly scratch: Scratch
}

/** Creates what reads sources for others, from the function that reads any source. */
export function createElementReader(read: ReadElements): ElementReader {
  const scratch = createScratch()
  return {
    read,
    scratch,
    readFloats(source, start, into) {
      // Whatever computes floats then has no use for a buffer of its own.
      if (source.dtype === 'F32')
        return read(source, start, into.length, new Uint8Array(into.buffer, into.byteOffset, into.byteLength))
      const elementBytes = dtypeBytes(source.dtype)
      scratch.withBlock((block) => {
        for (let done = 0; done < into.length; done += stepElements) {
          const count = Math.min(stepElements, into.length - done)
          const bytes = block.subarray(0, count * elementBytes)
          read(source, start + done, count, bytes)
          decode(source.dtype, bytes, 0, into.subarray(done, done + count))
        }
      })
    },
  }
}
