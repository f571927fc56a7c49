/**
 * Evaluates a gradient at a depth: linear between neighbors, over `values.length - 1` equal intervals.
 * @param depth 0 at the first layer, 1 at the last
 * @throws RangeError if there are no values or the depth is outside of [0, 1]
 */
export function gradientAt(values: readonly number[], depth: number): number {
  if (values.length === 0) throw new RangeError('a gradient needs at least one value')
  if (!(depth >= 0 && depth <= 1)) throw new RangeError(`the depth is ${depth}, expected 0 to 1`)
  const scaled = depth * (values.length - 1)
  const below = Math.floor(scaled)
  const from = values[below]!
  const to = values[Math.min(below + 1, values.length - 1)]!
  return from + (scaled - below) * (to - from)
}

/**
 * Gives the depth of a slice's layer, its position from 0 for the first to 1 for the last; 1 where it is the only one.
 * Tensors before and after the layers are at 0.
 * @throws RangeError unless 0 ≤ index < count
 */
export function layerDepth(index: number, count: number): number {
  if (!Number.isInteger(index) || !Number.isInteger(count) || index < 0 || index >= count)
    throw new RangeError(`layer ${index} of ${count} does not exist`)
  return count === 1 ? 1 : index / (count - 1)
}
