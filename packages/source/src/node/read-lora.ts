import { dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { LoraSource } from '../tensor-source.ts'
import { factorsOf, type Factors, readFactor } from './lora-factors.ts'
import { tileColumns } from './multiply-rows.ts'
import type { ReadContext } from './read-context.ts'
import { readFloats, withFloats } from './read-floats.ts'
import { scratchBlockBytes } from './scratch.ts'

const heldFloats = scratchBlockBytes / 4

/** Some rows × columns [from, to) of the matrix, as far as they are asked for: flat indices in [start, end). */
interface Part {
  readonly start: number
  readonly end: number
  readonly columns: number
  readonly firstRow: number
  readonly endRow: number
  readonly from: number
  readonly to: number
}

/**
 * The tensor is seen as a matrix of shape[0] rows (a convolution's kernels are its columns). Holds a bounded part of one
 * factor, works part by part, and adds up each element's products in the order of the rank, however the range is cut.
 */
export function readLora(context: ReadContext, lora: LoraSource, start: number, count: number, into: Uint8Array): void {
  const factors = factorsOf(lora)
  const { rank } = factors
  const elementBytes = dtypeBytes(lora.dtype)
  const columns = lora.shape.slice(1).reduce((product, size) => product * size, 1)
  const width = Math.min(columns, heldFloats, context.loraFactors.blockColumns(rank))
  const height = Math.max(1, Math.floor(heldFloats / Math.max(width, rank)))
  const end = start + count

  for (let from = 0; from < columns; from += width) {
    const to = Math.min(columns, from + width)
    for (let firstRow = Math.floor(start / columns); firstRow * columns < end; firstRow += height) {
      const part: Part = {
        start,
        end,
        columns,
        firstRow,
        endRow: Math.min(firstRow + height, Math.ceil(end / columns)),
        from,
        to,
      }
      withFloats(context, (part.endRow - firstRow) * (to - from), (values) => {
        forEachRun(part, (first, stop, at) =>
          readFloats(context, lora.source, first, values.subarray(at, at + stop - first)),
        )
        addProduct(context, factors, lora.scale, part, values)
        forEachRun(part, (first, stop, at) => {
          encode(
            lora.dtype,
            values.subarray(at, at + stop - first),
            into.subarray((first - start) * elementBytes, (stop - start) * elementBytes),
            0,
          )
        })
      })
    }
  }
}

/** Flat indices of the part that follow each other, with their place in a buffer for all its rows; one run where it has all columns. */
function forEachRun(
  { start, end, columns, firstRow, endRow, from, to }: Part,
  use: (first: number, stop: number, at: number) => void,
): void {
  const rowsAtOnce = from === 0 && to === columns ? endRow - firstRow : 1
  for (let row = firstRow; row < endRow; row += rowsAtOnce) {
    const first = Math.max(start, row * columns + from)
    const stop = Math.min(end, (row + rowsAtOnce - 1) * columns + to)
    if (first < stop) use(first, stop, (row - firstRow) * (to - from) + first - (row * columns + from))
  }
}

function addProduct(
  context: ReadContext,
  factors: Factors,
  scale: number,
  { firstRow, endRow, from, to }: Part,
  values: Float32Array,
): void {
  const { rank } = factors
  const { multiplier } = context.loraFactors
  const width = to - from
  withFloats(context, (endRow - firstRow) * rank, (left) => {
    readFactor(context, factors.left, rank, firstRow, endRow, left, false)
    // After all other reading, which may be that of another adapter beneath this one.
    const right = context.loraFactors.right(context, factors, from, to)
    for (let column = 0; column < width; column += tileColumns) {
      const count = Math.min(tileColumns, width - column)
      multiplier.setRight(right, column, width, rank, count)
      for (let row = 0; row < endRow - firstRow; row++) {
        const sums = multiplier.multiply(left, row * rank)
        const at = row * width + column
        for (let i = 0; i < count; i++) values[at + i] = values[at + i]! + scale * sums[i]!
      }
    }
  })
}
