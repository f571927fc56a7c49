import { type Dtype, dtypeBytes } from '@mk/safetensors'
import { encode } from '@mk/tensor'
import type { TensorSource } from '../../tensor-source.ts'
import type { ElementReader } from '../elements/element-reader.ts'
import { stepElements } from '../elements/scratch.ts'
import type { RowRun, RowRuns } from './row-runs.ts'

/** Takes the mean of rows of a gather's sources, in the gather's dtype: summed in float64, rounded once. */
export function meanOfRows(
  elements: ElementReader,
  { source: { sources, dtype }, columns }: RowRuns,
  rows: readonly { readonly source: number; readonly row: number }[],
): Uint8Array {
  const sums = new Float64Array(columns)
  for (const { source, row } of rows) addElements(elements, sources[source]!, row * columns, columns, sums)
  return encodeMeans(dtype, sums, rows.length)
}

/** Takes the mean of all rows of these runs of a gather, as they are delivered. */
export function meanOfRuns(elements: ElementReader, { source, columns }: RowRuns, runs: readonly RowRun[]): Uint8Array {
  const sums = new Float64Array(columns)
  let rows = 0
  for (const { row, rowCount } of runs) {
    addElements(elements, source, row * columns, rowCount * columns, sums)
    rows += rowCount
  }
  return encodeMeans(source.dtype, sums, rows)
}

/** Adds `count` elements of a source, from the start of a row on, to the sums of their columns. */
function addElements(
  { read, readFloats, scratch }: ElementReader,
  source: TensorSource,
  start: number,
  count: number,
  sums: Float64Array,
): void {
  for (let done = 0; done < count; done += stepElements) {
    const step = Math.min(stepElements, count - done)
    if (source.dtype === 'F64') {
      scratch.withBlock((block) => {
        const bytes = block.subarray(0, step * 8)
        read(source, start + done, step, bytes)
        addTo(sums, done, new Float64Array(bytes.buffer as ArrayBuffer, bytes.byteOffset, step))
      })
    } else {
      scratch.withFloats(step, (values) => {
        readFloats(source, start + done, values)
        addTo(sums, done, values)
      })
    }
  }
}

function addTo(sums: Float64Array, from: number, values: Float32Array | Float64Array): void {
  let column = from % sums.length
  for (let i = 0; i < values.length; i++) {
    sums[column]! += values[i]!
    if (++column === sums.length) column = 0
  }
}

function encodeMeans(dtype: Dtype, sums: Float64Array, rows: number): Uint8Array {
  const bytes = new Uint8Array(sums.length * dtypeBytes(dtype))
  for (let i = 0; i < sums.length; i++) sums[i]! /= Math.max(rows, 1)
  if (dtype === 'F64') bytes.set(new Uint8Array(sums.buffer))
  else encode(dtype, dtype === 'F32' ? new Float32Array(sums) : roundToOdd(sums), bytes, 0)
  return bytes
}

/**
 * Float32 such that rounding it on to a format of at most 22 significant bits gives what rounding the float64 once would:
 * towards zero, with the last bit set where anything was lost (Boldo and Melquiond, 2005).
 */
function roundToOdd(values: Float64Array): Float32Array {
  const rounded = new Float32Array(values)
  const bits = new Uint32Array(rounded.buffer)
  for (let i = 0; i < values.length; i++) {
    if (rounded[i] === values[i] || Number.isNaN(values[i])) continue
    if (Math.abs(rounded[i]!) > Math.abs(values[i]!)) bits[i]! -= 1
    bits[i]! |= 1
  }
  return rounded
}
