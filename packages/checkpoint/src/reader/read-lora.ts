import { dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { LoraSource } from '../tensor-source.ts'
import { factorsOf, type Factors, readFactor } from './lora-factors.ts'
import { tileColumns } from './multiply-rows.ts'
import type { ReadContext } from './read-context.ts'
import { pieceElements, readFloats, withFloats } from './read-floats.ts'

/**
 * The tensor is seen as a matrix of shape[0] rows (a convolution's kernels are its columns). Holds a bounded part of one
 * factor, works piece by piece, and adds up each element's products in the order of the rank, however the range is cut.
 */
export function readLora(context: ReadContext, lora: LoraSource, start: number, count: number, into: Uint8Array): void {
  const factors = factorsOf(lora)
  const columns = lora.shape.slice(1).reduce((product, size) => product * size, 1)
  const elementBytes = dtypeBytes(lora.dtype)
  const width = Math.min(columns, context.loraFactors.blockColumns(factors.rank))

  for (let from = 0; from < columns; from += width) {
    const to = Math.min(columns, from + width)
    for (const [first, end] of piecesOf(start, start + count, columns, from, to, factors.rank)) {
      const right = context.loraFactors.right(context, factors, from, to)
      withFloats(context, end - first, (values) => {
        readFloats(context, lora.source, first, values)
        addProduct(context, factors, lora.scale, right, { first, columns, from, to }, values)
        encode(lora.dtype, values, into.subarray((first - start) * elementBytes, (end - start) * elementBytes), 0)
      })
    }
  }
}

/** Cuts a range into pieces that lie in columns [from, to): of several rows where these are all columns, else of one row. */
function* piecesOf(start: number, end: number, columns: number, from: number, to: number, rank: number): Generator<[number, number]> {
  if (from === 0 && to === columns) {
    const most = Math.max(1, Math.min(pieceElements, Math.floor(pieceElements / rank) * columns))
    for (let first = start; first < end; first += most) yield [first, Math.min(end, first + most)]
    return
  }
  for (let row = Math.floor(start / columns); row * columns < end; row++) {
    const last = Math.min(end, row * columns + to)
    for (let first = Math.max(start, row * columns + from); first < last; first += pieceElements) yield [first, Math.min(last, first + pieceElements)]
  }
}

interface Placement {
  /** Flat index of the first value. */
  readonly first: number
  readonly columns: number
  /** The columns that `right` spans. */
  readonly from: number
  readonly to: number
}

function addProduct(context: ReadContext, factors: Factors, scale: number, right: Float32Array, { first, columns, from, to }: Placement, values: Float32Array): void {
  const { rank } = factors
  const { multiplier } = context.loraFactors
  const end = first + values.length
  const firstRow = Math.floor(first / columns)
  const endRow = Math.ceil(end / columns)
  withFloats(context, (endRow - firstRow) * rank, (left) => {
    readFactor(context, factors.left, rank, firstRow, endRow, left, false)
    for (let column = from; column < to; column += tileColumns) {
      const tileEnd = Math.min(to, column + tileColumns)
      multiplier.setRight(right, column - from, to - from, rank, tileEnd - column)
      for (let row = firstRow; row < endRow; row++) {
        const begin = Math.max(first, row * columns + column)
        const stop = Math.min(end, row * columns + tileEnd)
        if (begin >= stop) continue
        const sums = multiplier.multiply(left, (row - firstRow) * rank)
        const skipped = begin - row * columns - column
        for (let i = 0; i < stop - begin; i++) values[begin - first + i] = values[begin - first + i]! + scale * sums[skipped + i]!
      }
    }
  })
}
