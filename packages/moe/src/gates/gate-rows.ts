/** The least length that a difference is divided by. */
const least = 1e-8

/**
 * Computes a row of a router: the direction from what the expert is not for to what it is for, of length 1 unless that is no direction.
 * @param negative absent: none was given
 */
export function gateRow(positive: Float64Array, negative?: Float64Array): Float32Array {
  const row = negative === undefined ? positive : positive.map((value, index) => value - negative[index]!)
  const divisor = Math.max(lengthOf(row), least)
  return Float32Array.from(row, (value) => value / divisor)
}

/** Gives a vector the length 1; the vector itself where it has none. */
export function unit(vector: Float64Array): Float64Array {
  const length = lengthOf(vector)
  return length === 0 ? vector : vector.map((value) => value / length)
}

const lengthOf = (vector: Float64Array): number => Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))

/** Adds up rows of `hidden` elements, from a row up to another. */
export function sumOfRows(rows: Float32Array, hidden: number, first: number, end: number): Float64Array {
  const sum = new Float64Array(hidden)
  for (let row = first; row < end; row++)
    for (let index = 0; index < hidden; index++) sum[index]! += rows[row * hidden + index]!
  return sum
}
