import { LinalgError } from './errors.ts'
import type { Matrix } from './matrix.ts'

const MOST_ITERATIONS = 60
/** Columns of the vectors that are rotated together, so that they stay in the cache. */
const STRIP = 64

/**
 * Turns a tridiagonal matrix into a diagonal one by implicit QL (Golub & Van Loan, Matrix Computations, 8.3); each rotation also turns
 * rows of `vectors`.
 * @throws LinalgError 'no-convergence'
 */
export function diagonalize(d: Float64Array, e: Float64Array, vectors: Matrix): void {
  const size = d.length
  const cosines = new Float64Array(size)
  const sines = new Float64Array(size)
  let largest = 0
  for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(d[i]!) + Math.abs(e[i]!))
  const negligible = (i: number): boolean => {
    const size = Math.abs(e[i]!)
    return size <= Number.EPSILON * (Math.abs(d[i]!) + Math.abs(d[i + 1]!)) || size <= (Number.EPSILON / 4) * largest
  }
  for (let l = 0; l < size; l++) {
    for (let iteration = 0; ; iteration++) {
      let m = l
      while (m < size - 1 && !negligible(m)) m++
      if (m === l) break
      if (iteration === MOST_ITERATIONS)
        throw new LinalgError({ code: 'no-convergence', what: 'an eigenvalue', iterations: MOST_ITERATIONS })
      let g = (d[l + 1]! - d[l]!) / (2 * e[l]!)
      const length = Math.sqrt(g * g + 1)
      g = d[m]! - d[l]! + e[l]! / (g < 0 ? g - length : g + length)
      let [s, c, p] = [1, 1, 0]
      let i = m - 1
      for (; i >= l; i--) {
        const f = s * e[i]!
        const b = c * e[i]!
        const r = Math.sqrt(f * f + g * g)
        e[i + 1] = r
        if (r === 0) {
          d[i + 1]! -= p
          e[m] = 0
          break
        }
        s = f / r
        c = g / r
        g = d[i + 1]! - p
        const t = (d[i]! - g) * s + 2 * c * b
        p = s * t
        d[i + 1] = g + p
        g = c * t - b
        cosines[i] = c
        sines[i] = s
      }
      rotate(vectors, { cosines, sines, from: m - 1, to: i + 1 })
      if (i >= l) continue
      d[l]! -= p
      e[l] = g
      e[m] = 0
    }
  }
}

interface Rotations {
  readonly cosines: Float64Array
  readonly sines: Float64Array
  /** Each turns rows i and i + 1, from the last one down. */
  readonly from: number
  readonly to: number
}

function rotate({ columns, values }: Matrix, { cosines, sines, from, to }: Rotations): void {
  for (let start = 0; start < columns; start += STRIP) {
    const end = Math.min(start + STRIP, columns)
    let i = from
    // Three at a time: the rows between them are read and written once.
    for (; i - 2 >= to; i -= 3) {
      const [c0, s0, c1, s1] = [cosines[i]!, sines[i]!, cosines[i - 1]!, sines[i - 1]!]
      const [c2, s2] = [cosines[i - 2]!, sines[i - 2]!]
      const last = (i - 2) * columns
      for (let at = last + start; at < last + end; at++) {
        const second = at + columns
        const third = second + columns
        const fourth = third + columns
        let carried = values[fourth]!
        let own = values[third]!
        values[fourth] = s0 * own + c0 * carried
        carried = c0 * own - s0 * carried
        own = values[second]!
        values[third] = s1 * own + c1 * carried
        carried = c1 * own - s1 * carried
        own = values[at]!
        values[second] = s2 * own + c2 * carried
        values[at] = c2 * own - s2 * carried
      }
    }
    for (; i >= to; i--) {
      const [c, s] = [cosines[i]!, sines[i]!]
      const row = i * columns
      for (let at = row + start; at < row + end; at++) {
        const [a, b] = [values[at]!, values[at + columns]!]
        values[at + columns] = s * a + c * b
        values[at] = c * a - s * b
      }
    }
  }
}
