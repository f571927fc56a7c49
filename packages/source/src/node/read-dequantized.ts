import { dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { DequantizedSource } from '../tensor-source.ts'
import type { ReadContext } from './read-context.ts'
import { pieceElements, readFloats, withFloats } from './read-floats.ts'

/** The tensor is seen as a matrix of its last dimension's columns. */
export function readDequantized(
  context: ReadContext,
  dequantized: DequantizedSource,
  start: number,
  count: number,
  into: Uint8Array,
): void {
  const { source, dtype } = dequantized
  const elementBytes = dtypeBytes(dtype)
  for (let done = 0; done < count; done += pieceElements) {
    const piece = Math.min(pieceElements, count - done)
    withFloats(context, piece, (values) => {
      readFloats(context, source, start + done, values)
      rescale(context, dequantized, start + done, values)
      encode(dtype, values, into.subarray(done * elementBytes, (done + piece) * elementBytes), 0)
    })
  }
}

function rescale(
  context: ReadContext,
  { source, scale, blockRows, blockColumns, inverse }: DequantizedSource,
  start: number,
  values: Float32Array,
): void {
  const columns = source.shape.at(-1) ?? 1
  const blocksPerRow = Math.ceil(columns / blockColumns)
  withFloats(context, Math.min(blocksPerRow, pieceElements), (buffer) => {
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
        readFloats(context, scale, block, scales)
      }
      const factor = scales[block - firstBlock]!
      const end = Math.min(values.length, done + Math.min(blockColumns - (column % blockColumns), columns - column))
      if (inverse) for (; done < end; done++) values[done]! /= factor
      else for (; done < end; done++) values[done]! *= factor
    }
  })
}
