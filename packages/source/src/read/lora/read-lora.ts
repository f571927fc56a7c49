import { dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { LoraSource } from '../../tensor-source.ts'
import type { ElementReader, ReadElements } from '../elements/element-reader.ts'
import { scratchBlockBytes } from '../elements/scratch.ts'
import { type Factors, factorsOf, readRankLast } from './factors.ts'
import { createRowMultiplier, type RowMultiplier, tileColumns } from './multiply-rows.ts'
import { createRightFactors, mostColumns } from './right-factors.ts'

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
 * Creates the reader of W + scale · B·A. The tensor is seen as a matrix of shape[0] rows (a convolution's kernels are its
 * columns). Holds a bounded part of one factor, works part by part, and adds up each element's products in the order of the
 * rank, however the range is cut.
 */
export function createLoraReader(elements: ElementReader): ReadElements<LoraSource> {
  const { readFloats, scratch } = elements
  const rightFactors = createRightFactors(elements)
  let multiplier: RowMultiplier | undefined

  function addProduct({ rank, left, right }: Factors, scale: number, part: Part, values: Float32Array): void {
    const { firstRow, endRow, from, to } = part
    const width = to - from
    multiplier ??= createRowMultiplier()
    const { setRight, multiply } = multiplier
    scratch.withFloats((endRow - firstRow) * rank, (rows) => {
      readRankLast(elements, left, firstRow, endRow, rows)
      // After all other reading, which may be that of another adapter beneath this one.
      const matrix = rightFactors.read(right, from, to)
      for (let column = 0; column < width; column += tileColumns) {
        const count = Math.min(tileColumns, width - column)
        setRight(matrix, column, width, rank, count)
        for (let row = 0; row < endRow - firstRow; row++) {
          const sums = multiply(rows, row * rank)
          const at = row * width + column
          for (let i = 0; i < count; i++) values[at + i] = values[at + i]! + scale * sums[i]!
        }
      }
    })
  }

  function readPart(lora: LoraSource, factors: Factors, part: Part, into: Uint8Array): void {
    const { start, firstRow, endRow, from, to } = part
    const elementBytes = dtypeBytes(lora.dtype)
    scratch.withFloats((endRow - firstRow) * (to - from), (values) => {
      forEachRun(part, (first, stop, at) => readFloats(lora.source, first, values.subarray(at, at + stop - first)))
      addProduct(factors, lora.scale, part, values)
      forEachRun(part, (first, stop, at) => {
        const bytes = into.subarray((first - start) * elementBytes, (stop - start) * elementBytes)
        encode(lora.dtype, values.subarray(at, at + stop - first), bytes, 0)
      })
    })
  }

  return (lora, start, count, into) => {
    const factors = factorsOf(lora)
    const { rank } = factors
    const columns = lora.shape.slice(1).reduce((product, size) => product * size, 1)
    const width = Math.min(columns, heldFloats, mostColumns(rank))
    const height = Math.max(1, Math.floor(heldFloats / Math.max(width, rank)))
    const end = start + count
    for (let from = 0; from < columns; from += width) {
      const to = Math.min(columns, from + width)
      for (let firstRow = Math.floor(start / columns); firstRow * columns < end; firstRow += height) {
        const endRow = Math.min(firstRow + height, Math.ceil(end / columns))
        readPart(lora, factors, { start, end, columns, firstRow, endRow, from, to }, into)
      }
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
