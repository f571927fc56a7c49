import { dot, type Matrix } from './matrix.ts'

/** Qᵀ·A·Q, which has numbers only on the diagonal and beside it. */
export interface Tridiagonal {
  readonly diagonal: Float64Array
  /** Of rows i and i + 1; the last one is 0. */
  readonly beside: Float64Array
  /** Qᵀ. */
  readonly turned: Matrix
}

/** Reduces a symmetric matrix, whose lower triangle is read, to tridiagonal form by Householder reflections from the last row up. */
export function tridiagonalize({ rows: size, values }: Matrix): Tridiagonal {
  const lower = values.slice()
  const beside = new Float64Array(size)
  const norms = new Float64Array(size)
  const product = new Float64Array(size)
  for (let row = size - 1; row > 0; row--) {
    const start = row * size
    const head = lower[start + row - 1]!
    const tail = dot(lower, start, lower, start, row - 1)
    if (tail === 0) {
      beside[row - 1] = head
      continue
    }
    const norm = Math.sqrt(head * head + tail)
    const moved = head < 0 ? head - norm : head + norm
    beside[row - 1] = head < 0 ? norm : -norm
    const half = (moved * moved + tail) / 2
    norms[row] = half
    // From here on the row holds the reflection's vector.
    lower[start + row - 1] = moved
    multiplySymmetric(lower, size, row, product)
    let overlap = 0
    for (let i = 0; i < row; i++) {
      product[i]! /= half
      overlap += product[i]! * lower[start + i]!
    }
    const share = overlap / (2 * half)
    for (let i = 0; i < row; i++) product[i]! -= share * lower[start + i]!
    for (let i = 0; i < row; i++) {
      const [u, p] = [lower[start + i]!, product[i]!]
      const at = i * size
      for (let j = 0; j <= i; j++) lower[at + j]! -= u * product[j]! + p * lower[start + j]!
    }
  }
  const diagonal = Float64Array.from({ length: size }, (_, i) => lower[i * size + i]!)
  return { diagonal, beside, turned: accumulate(lower, norms, size) }
}

/** Multiplies the leading rows with the vector in row `count`. */
function multiplySymmetric(lower: Float64Array, size: number, count: number, into: Float64Array): void {
  const vector = count * size
  into.fill(0, 0, count)
  for (let i = 0; i < count; i++) {
    const at = i * size
    const own = lower[vector + i]!
    let sum = lower[at + i]! * own
    for (let j = 0; j < i; j++) {
      const element = lower[at + j]!
      sum += element * lower[vector + j]!
      into[j]! += element * own
    }
    into[i]! += sum
  }
}

function accumulate(lower: Float64Array, norms: Float64Array, size: number): Matrix {
  const values = new Float64Array(size * size)
  for (let i = 0; i < size; i++) values[i * size + i] = 1
  for (let step = 1; step < size; step++) {
    if (norms[step] === 0) continue
    for (let row = 0; row < step; row++) {
      const at = row * size
      const factor = dot(values, at, lower, step * size, step) / norms[step]!
      for (let i = 0; i < step; i++) values[at + i]! -= factor * lower[step * size + i]!
    }
  }
  return { rows: size, columns: size, values }
}
