import { encode } from '@mk/tensor'
import { dtypeBytes, type Dtype } from '@mk/safetensors'
import { type Scratch, stepElements } from './scratch.ts'

/** Fills elements that are computed as float32: in place where `into` is of that dtype and aligned, else step by step. */
export function fillFloats(
  { dtype, into, scratch }: { readonly dtype: Dtype; readonly into: Uint8Array; readonly scratch: Scratch },
  fill: (from: number, values: Float32Array) => void,
): void {
  const elementBytes = dtypeBytes(dtype)
  const count = into.length / elementBytes
  const inPlace =
    dtype === 'F32' && into.byteOffset % 4 === 0 ? new Float32Array(into.buffer, into.byteOffset, count) : undefined
  for (let done = 0; done < count; done += stepElements) {
    const step = Math.min(stepElements, count - done)
    if (inPlace !== undefined) fill(done, inPlace.subarray(done, done + step))
    else
      scratch.withFloats(step, (values) => {
        fill(done, values)
        encode(dtype, values, into.subarray(done * elementBytes, (done + step) * elementBytes), 0)
      })
  }
}
