import type { Matrix } from './matrix.ts'
import { transpose } from './matrix.ts'

/** Sorts values descending, equal ones by their index, and with them the rows of `turned`, which become columns, each with its sign. */
export function orderByValue(
  values: Float64Array,
  turned: Matrix,
): { readonly values: Float64Array; readonly vectors: Matrix } {
  const order = descending(values)
  const rows = new Float64Array(turned.values.length)
  order.forEach((from, to) => {
    const row = turned.values.subarray(from * turned.columns, (from + 1) * turned.columns)
    const sign = signOf(row)
    for (let i = 0; i < row.length; i++) rows[to * turned.columns + i] = sign * row[i]!
  })
  return { values: Float64Array.from(order, (from) => values[from]!), vectors: transpose({ ...turned, values: rows }) }
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
