import { dtypeBytes } from '@mk/safetensors'
import type { ValuesSource } from '../../tensor-source.ts'
import type { ReadElements } from '../elements/element-reader.ts'

/** Creates the reader of elements that are given as they are. @throws TypeError for those that are yet to be computed */
export function createValuesReader(): ReadElements<ValuesSource> {
  const decoded = new WeakMap<ValuesSource, Uint8Array>()
  return (source, start, count, into) => {
    if (source.base64 === undefined) throw new TypeError('these elements are yet to be computed')
    let bytes = decoded.get(source)
    if (bytes === undefined)
      decoded.set(source, (bytes = Uint8Array.from(atob(source.base64), (letter) => letter.charCodeAt(0))))
    const elementBytes = dtypeBytes(source.dtype)
    into.set(bytes.subarray(start * elementBytes, (start + count) * elementBytes))
  }
}
