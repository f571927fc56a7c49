import { readFileSync } from 'node:fs'
import { dtypeBytes } from '@mk/safetensors'
import type { TensorSource } from '@mk/source'

/** All bytes of a source in order, by the definition of strides: slow and plain. */
export function readSource(source: TensorSource): Uint8Array {
  if (source.kind !== 'file' && source.kind !== 'strided') throw new Error(`unexpected source ${source.kind}`)
  const bytes = readFileSync(source.file)
  const size = dtypeBytes(source.dtype)
  const count = source.shape.reduce((product, length) => product * length, 1)
  const result = new Uint8Array(count * size)
  for (let flat = 0; flat < count; flat++) {
    let element = flat
    if (source.kind === 'strided') {
      element = source.elementOffset
      let rest = flat
      for (let axis = source.shape.length - 1; axis >= 0; axis--) {
        element += (rest % source.shape[axis]!) * source.strides[axis]!
        rest = Math.floor(rest / source.shape[axis]!)
      }
    }
    result.set(bytes.subarray(source.byteStart + element * size, source.byteStart + (element + 1) * size), flat * size)
  }
  return result
}
