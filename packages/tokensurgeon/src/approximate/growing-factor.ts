/** Dot products of a row with what a factor is of. */
interface RowProducts {
  /** With the rows before, in their order; more may follow. */
  readonly withRows: Float64Array
  /** With itself. */
  readonly own: number
  readonly withTarget: number
}

/** Coefficients of rows that come nearest to a target, by the Cholesky factor of their Gram matrix, which grows; in float64. */
export interface GrowingFactor {
  readonly count: number
  /** One for each row. */
  readonly coefficients: Float64Array
  /** What is left of the target's squared norm. */
  readonly rest: number
  /** Starts anew for a target of this squared norm. */
  begin(squaredNorm: number): void
  /**
   * Adds a row.
   * @param least share of its squared norm that has to be outside of the span of those before
   * @returns false where less is, and it is not added
   */
  add(products: RowProducts, least: number): boolean
  /** Takes back all but the first `count` rows. */
  truncate(count: number): void
  /** Solves for the Gram matrix of the rows, in place. @param right one number for each row */
  solve(right: Float64Array): void
}

/** Creates an empty factor of at most `k` rows: a row costs the solution of two triangles. */
export function createGrowingFactor(k: number): GrowingFactor {
  const lower = new Float64Array(k * k)
  const solved = new Float64Array(k)
  const coefficients = new Float64Array(k)
  let [count, squared, rest] = [0, 0, 0]

  const forward = (row: number, values: Float64Array): number => {
    let sum = 0
    for (let j = 0, at = row * k; j < row; j++, at++) sum += lower[at]! * values[j]!
    return sum
  }
  const backSubstitute = (from: Float64Array, into: Float64Array): void => {
    for (let i = count - 1; i >= 0; i--) {
      let value = from[i]!
      for (let j = i + 1; j < count; j++) value -= lower[j * k + i]! * into[j]!
      into[i] = value / lower[i * k + i]!
    }
  }
  return {
    coefficients,
    get count() {
      return count
    },
    get rest() {
      return rest
    },
    begin(squaredNorm) {
      count = 0
      coefficients.fill(0)
      squared = rest = squaredNorm
    },
    add({ withRows, own, withTarget }, least) {
      const start = count * k
      let pivot = own
      for (let i = 0; i < count; i++) {
        let value = withRows[i]!
        for (let j = 0, at = i * k; j < i; j++, at++) value -= lower[start + j]! * lower[at]!
        value /= lower[i * k + i]!
        lower[start + i] = value
        pivot -= value * value
      }
      if (!(pivot > least * own)) return false
      const root = Math.sqrt(pivot)
      lower[start + count] = root
      solved[count] = (withTarget - forward(count, solved)) / root
      rest -= solved[count]! ** 2
      count++
      backSubstitute(solved, coefficients)
      return true
    },
    truncate(to) {
      count = to
      rest = squared
      for (let i = 0; i < count; i++) rest -= solved[i]! ** 2
      backSubstitute(solved, coefficients)
    },
    solve(right) {
      for (let i = 0; i < count; i++) right[i] = (right[i]! - forward(i, right)) / lower[i * k + i]!
      backSubstitute(right, right)
    },
  }
}
