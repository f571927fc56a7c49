import type { Block, Workspace } from './kernels/workspace.ts'
import { createMatrix, type Matrix } from './matrix.ts'

/** Columns that are written together, in runs. */
const TOGETHER = 16

/** Sorts values descending, equal ones by their index, and with them rows of a workspace, which become columns, each with its sign. */
export function orderByValue(
  values: Float64Array,
  { values: elements }: Workspace,
  { start, stride, rows, columns }: Block,
): { readonly values: Float64Array; readonly vectors: Matrix } {
  const order = descending(values)
  const vectors = createMatrix(columns, rows)
  const signs = order.map((from) => signOf(elements.subarray(start + from * stride, start + from * stride + columns)))
  for (let first = 0; first < rows; first += TOGETHER)
    for (let i = 0; i < columns; i++)
      for (let to = first; to < Math.min(first + TOGETHER, rows); to++)
        vectors.values[i * rows + to] = signs[to]! * elements[start + order[to]! * stride + i]!
  return { values: Float64Array.from(order, (from) => values[from]!), vectors }
}

/** Lists indices by descending value, those of equal values ascending. */
export const descending = (values: Float64Array): number[] =>
  Array.from(values, (_, index) => index).sort((a, b) => values[b]! - values[a]! || a - b)

/** Tells the sign that makes the element of largest magnitude, the first of them, positive. */
export function signOf(vector: Float64Array): 1 | -1 {
  let largest = 0
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value
  return largest < 0 ? -1 : 1
}
