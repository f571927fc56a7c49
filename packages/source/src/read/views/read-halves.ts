import { dtypeBytes } from '@mk/safetensors'
import type { HalvesSource } from '../../tensor-source.ts'
import type { ElementReader, ReadElements } from '../elements/element-reader.ts'

/** Creates the reader of rows that are stored with the halves of each head interleaved. */
export function createHalvesReader({ read }: ElementReader): ReadElements<HalvesSource> {
  return ({ source, heads, shape }, start, count, into) => {
    const columns = shape.slice(1).reduce((product, size) => product * size, 1)
    const half = shape[0]! / heads / 2
    const elementBytes = dtypeBytes(source.dtype)
    for (let done = 0; done < count;) {
      const row = Math.floor((start + done) / columns)
      const column = (start + done) % columns
      const taken = Math.min(count - done, columns - column)
      const head = Math.floor(row / (2 * half))
      const inHead = row % (2 * half)
      const stored = head * 2 * half + (inHead % half) * 2 + Math.floor(inHead / half)
      read(source, stored * columns + column, taken, into.subarray(done * elementBytes, (done + taken) * elementBytes))
      done += taken
    }
  }
}
