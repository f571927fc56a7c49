import { dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { DequantizedSource } from '../tensor-source.ts'
import type { ElementReader, ReadElements } from './elements/element-reader.ts'
import { stepElements } from './elements/scratch.ts'

/** Creates the reader of weights times scales. The tensor is seen as a matrix of its last dimension's columns. */
export function createDequantizedReader({ readFloats, scratch }: ElementReader): ReadElements<DequantizedSource> {
  /** Multiplies values, the first of which is element `start` of the tensor, by the scales of their blocks. */
  function rescale(dequantized: DequantizedSource, start: number, values: Float32Array): void {
    const { source, scale, blockRows, blockColumns } = dequantized
    const columns = source.shape.at(-1) ?? 1
    const blocksPerRow = Math.ceil(columns / blockColumns)
    scratch.withFloats(Math.min(blocksPerRow, stepElements), (buffer) => {
      let scales = buffer.subarray(0, 0)
      let firstBlock = 0
      for (let done = 0; done < values.length;) {
        const row = Math.floor((start + done) / columns)
        const column = (start + done) % columns
        const blockInRow = Math.floor(column / blockColumns)
        const block = Math.floor(row / blockRows) * blocksPerRow + blockInRow
        if (block < firstBlock || block >= firstBlock + scales.length) {
          firstBlock = block
          scales = buffer.subarray(0, Math.min(buffer.length, blocksPerRow - blockInRow))
          readFloats(scale, block, scales)
        }
        const factor = scales[block - firstBlock]!
        const end = Math.min(values.length, done + Math.min(blockColumns - (column % blockColumns), columns - column))
        for (; done < end; done++) values[done]! *= factor
      }
    })
  }

  return (dequantized, start, count, into) => {
    const { source, dtype } = dequantized
    const elementBytes = dtypeBytes(dtype)
    for (let done = 0; done < count; done += stepElements) {
      const step = Math.min(stepElements, count - done)
      scratch.withFloats(step, (values) => {
        readFloats(source, start + done, values)
        rescale(dequantized, start + done, values)
        encode(dtype, values, into.subarray(done * elementBytes, (done + step) * elementBytes), 0)
      })
    }
  }
}
