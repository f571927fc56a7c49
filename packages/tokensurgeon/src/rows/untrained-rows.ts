import { blockRows, eachBlock, type RowStore } from './row-store.ts'

const normQuantile = 0.01
const likenessQuantile = 0.99
const leastLikeness = 0.5

/**
 * Tells which rows look as if they had never been trained (Land & Bartolo 2024, Fishing for Magikarp): those of no token, those that are
 * as like to the mean of these as few others are, and with `byNorm` those of the smallest norms.
 * @returns 1 for each row that does
 */
export async function findUntrained(
  rows: RowStore,
  { unused, byNorm }: { readonly unused: Int32Array; readonly byNorm: boolean },
): Promise<Uint8Array> {
  const { rows: count, width } = rows
  const found = new Uint8Array(count)
  const buffer = new Float32Array(blockRows(width) * width)
  for (const row of unused) found[row] = 1
  const norms = new Float64Array(count)
  const mean = new Float64Array(width)
  await eachBlock(rows, buffer, (block, first, blockCount) => {
    for (let row = 0; row < blockCount; row++) {
      let squares = 0
      const isUnused = found[first + row] === 1
      for (let i = 0; i < width; i++) {
        const value = block[row * width + i]!
        squares += value * value
        if (isUnused) mean[i]! += value / unused.length
      }
      norms[first + row] = Math.sqrt(squares)
    }
  })
  if (byNorm) {
    const least = quantile(norms, normQuantile)
    norms.forEach((norm, row) => {
      if (norm < least) found[row] = 1
    })
  }
  const length = Math.sqrt(mean.reduce((sum, value) => sum + value * value, 0))
  if (unused.length === 0 || length === 0) return found
  const likeness = new Float64Array(count)
  await eachBlock(rows, buffer, (block, first, blockCount) => {
    for (let row = 0; row < blockCount; row++) {
      let product = 0
      for (let i = 0; i < width; i++) product += block[row * width + i]! * mean[i]!
      likeness[first + row] = product / Math.max(length * norms[first + row]!, 1e-30)
    }
  })
  const most = Math.max(leastLikeness, quantile(likeness, likenessQuantile))
  likeness.forEach((value, row) => {
    if (value > most) found[row] = 1
  })
  return found
}

/** The value below which a share of all lies, between the two nearest in proportion. */
export function quantile(values: Float64Array, share: number): number {
  const sorted = values.slice().sort()
  const place = share * (sorted.length - 1)
  const below = Math.floor(place)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (place - below)
}
