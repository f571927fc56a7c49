import { dotProduct } from '../rows/row-store.ts'

/** An atom that is this share of its norm from the span of those chosen adds nothing to it. */
const dependent = 1e-10
/** What is left of a target counts as nothing from this share of its squared norm on. */
const nothing = 1e-12

/** Atoms chosen for one target, with the coefficients that come nearest to it; everything in float64. */
export interface Support {
  readonly count: number
  /** Which atoms, in the order of their choice. */
  readonly atoms: Int32Array
  /** One for each. */
  readonly coefficients: Float64Array
  /** The chosen rows, one after the other. */
  readonly rows: Float32Array
  /** Whether nothing is left to explain. */
  readonly isExact: boolean
  begin(target: Float32Array): void
  /** Adds the atom whose row is next in `rows`; false where it is in the span of the others. */
  add(atom: number): boolean
  /** Takes back all but the first `count` atoms. */
  truncate(count: number): void
  /** Writes what the chosen atoms leave of the target. */
  residual(into: Float32Array): void
}

/**
 * Creates an empty support of at most `k` rows. Their Gram matrix is factorized as it grows, by Cholesky, so that a choice costs the dot
 * products with those before and the solution of two triangles.
 */
export function createSupport(width: number, k: number): Support {
  const rows = new Float32Array(k * width)
  const atoms = new Int32Array(k)
  const coefficients = new Float64Array(k)
  const lower = new Float64Array(k * k)
  const solved = new Float64Array(k)
  let target: Float32Array = new Float32Array(0)
  let [count, squared, rest] = [0, 0, 0]

  const backSubstitute = (): void => {
    for (let i = count - 1; i >= 0; i--) {
      let value = solved[i]!
      for (let j = i + 1; j < count; j++) value -= lower[j * k + i]! * coefficients[j]!
      coefficients[i] = value / lower[i * k + i]!
    }
  }
  return {
    rows,
    atoms,
    coefficients,
    get count() {
      return count
    },
    get isExact() {
      return rest <= nothing * squared
    },
    begin(of) {
      target = of
      count = 0
      coefficients.fill(0)
      squared = rest = dotProduct(of, 0, of, 0, width)
    },
    add(atom) {
      const start = count * width
      const own = dotProduct(rows, start, rows, start, width)
      let pivot = own
      for (let i = 0; i < count; i++) {
        let value = dotProduct(rows, start, rows, i * width, width)
        for (let j = 0; j < i; j++) value -= lower[count * k + j]! * lower[i * k + j]!
        value /= lower[i * k + i]!
        lower[count * k + i] = value
        pivot -= value * value
      }
      if (!(pivot > dependent * own)) return false
      const root = Math.sqrt(pivot)
      lower[count * k + count] = root
      let value = dotProduct(rows, start, target, 0, width)
      for (let j = 0; j < count; j++) value -= lower[count * k + j]! * solved[j]!
      solved[count] = value / root
      rest -= solved[count]! ** 2
      atoms[count] = atom
      count++
      backSubstitute()
      return true
    },
    truncate(to) {
      count = to
      rest = squared
      for (let i = 0; i < count; i++) rest -= solved[i]! ** 2
      backSubstitute()
    },
    residual(into) {
      for (let column = 0; column < width; column++) {
        let value = target[column]!
        for (let i = 0; i < count; i++) value -= coefficients[i]! * rows[i * width + column]!
        into[column] = value
      }
    },
  }
}
