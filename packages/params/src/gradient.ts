/**
 * The value of a gradient at a position in depth: linear between neighbours, over `values.length - 1` equal intervals.
 * @param t 0 at the first layer, 1 at the last
 * @throws RangeError if there are no values or t is outside of [0, 1]
 */
export function gradientAt(values: readonly number[], t: number): number {
  if (values.length === 0) throw new RangeError('a gradient needs at least one value')
  if (!(t >= 0 && t <= 1)) throw new RangeError(`the position in depth is ${t}, expected 0 to 1`)
  const scaled = t * (values.length - 1)
  const below = Math.floor(scaled)
  const from = values[below]!
  const to = values[Math.min(below + 1, values.length - 1)]!
  return from + (scaled - below) * (to - from)
}

/**
 * The position in depth of a slice's layer: 0 for the first, 1 for the last, and 1 where it is the only one.
 * Tensors before and after the layers are at 0.
 * @throws RangeError unless 0 ≤ index < count
 */
export function layerPosition(index: number, count: number): number {
  if (!Number.isInteger(index) || !Number.isInteger(count) || index < 0 || index >= count)
    throw new RangeError(`layer ${index} of ${count} does not exist`)
  return count === 1 ? 1 : index / (count - 1)
}
