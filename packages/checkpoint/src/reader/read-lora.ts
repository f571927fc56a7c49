import { dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { LoraSource } from '../tensor-source.ts'
import { factorsOf, type Factors, readFactor } from './lora-factors.ts'
import type { ReadContext } from './read-context.ts'
import { pieceElements, readFloats, withFloats } from './read-floats.ts'

/** How much of a row is summed up at a time, in float64; it stays in the processor's nearest cache. */
const tileColumns = 1024

/**
 * The tensor is seen as a matrix of shape[0] rows (a convolution's kernels are its columns). Holds a bounded part of one
 * factor, works piece by piece, and adds each element's products in the order of the rank, however the range is cut.
 */
export function readLora(context: ReadContext, lora: LoraSource, start: number, count: number, into: Uint8Array): void {
  const factors = factorsOf(lora)
  const columns = lora.shape.slice(1).reduce((product, size) => product * size, 1)
  const elementBytes = dtypeBytes(lora.dtype)
  const width = Math.min(columns, context.loraFactors.blockColumns(factors.rank))
  const sums = new Float64Array(Math.min(tileColumns, columns))

  for (let from = 0; from < columns; from += width) {
    const to = Math.min(columns, from + width)
    for (const [first, end] of piecesOf(start, start + count, columns, from, to, factors.rank)) {
      const right = context.loraFactors.right(context, factors, from, to)
      withFloats(context, end - first, (values) => {
        readFloats(context, lora.source, first, values)
        addProduct(context, factors, lora.scale, right, { first, columns, from, to }, values, sums)
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

function addProduct(context: ReadContext, factors: Factors, scale: number, right: Float32Array, { first, columns, from, to }: Placement, values: Float32Array, sums: Float64Array): void {
  const { rank } = factors
  const firstRow = Math.floor(first / columns)
  const endRow = Math.ceil((first + values.length) / columns)
  withFloats(context, (endRow - firstRow) * rank, (left) => {
    readFactor(context, factors.left, rank, firstRow, endRow, left, false)
    for (let done = 0; done < values.length; ) {
      const row = Math.floor((first + done) / columns)
      const column = (first + done) % columns
      const taken = Math.min(sums.length, columns - column, values.length - done)
      multiply(left, (row - firstRow) * rank, right, column - from, to - from, rank, sums, taken)
      for (let i = 0; i < taken; i++) values[done + i] = values[done + i]! + scale * sums[i]!
      done += taken
    }
  })
}

/** sums[i] = Σ_k left[leftStart + k] · right[k, rightStart + i] for i < count. */
function multiply(left: Float32Array, leftStart: number, right: Float32Array, rightStart: number, rightWidth: number, rank: number, sums: Float64Array, count: number): void {
  sums.fill(0, 0, count)
  let k = 0
  for (; k + 4 <= rank; k += 4) {
    const l0 = left[leftStart + k]!
    const l1 = left[leftStart + k + 1]!
    const l2 = left[leftStart + k + 2]!
    const l3 = left[leftStart + k + 3]!
    const r0 = k * rightWidth + rightStart
    const r1 = r0 + rightWidth
    const r2 = r1 + rightWidth
    const r3 = r2 + rightWidth
    for (let i = 0; i < count; i++) {
      sums[i] = sums[i]! + (l0 * right[r0 + i]! + l1 * right[r1 + i]! + l2 * right[r2 + i]! + l3 * right[r3 + i]!)
    }
  }
  for (; k < rank; k++) {
    const l = left[leftStart + k]!
    const r = k * rightWidth + rightStart
    for (let i = 0; i < count; i++) sums[i] = sums[i]! + l * right[r + i]!
  }
}
