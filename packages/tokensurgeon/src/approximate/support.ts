import { dotProduct } from '../rows/row-store.ts'
import { createGrowingFactor } from './growing-factor.ts'

/** An atom that is this share of its norm from the span of those chosen adds nothing to it. */
const dependent = 1e-10
/** What is left of a target counts as nothing from this share of its squared norm on. */
const nothing = 1e-12

/** Atoms chosen for one target, and the coefficients that come nearest to it. */
export interface Chosen {
  readonly count: number
  /** Which atoms, in the order of their choice. */
  readonly atoms: Int32Array
  /** One for each. */
  readonly coefficients: Float64Array
  /** Whether nothing is left to explain. */
  readonly isExact: boolean
  /** Adds an atom; false where it is in the span of the others. */
  add(atom: number): boolean
}

/** Atoms whose rows are at hand; everything in float64. */
export interface Support extends Chosen {
  /** The chosen rows, one after the other. That of an atom has to lie there, as the next one, before it is added. */
  readonly rows: Float32Array
  begin(target: Float32Array): void
  /** Takes back all but the first `count` atoms. */
  truncate(count: number): void
  /** Writes what the chosen atoms leave of the target. */
  residual(into: Float32Array | Float64Array): void
}

/** Creates an empty support of at most `k` rows: a choice costs the dot products with those before. */
export function createSupport(width: number, k: number): Support {
  const rows = new Float32Array(k * width)
  const atoms = new Int32Array(k)
  const factor = createGrowingFactor(k)
  const { coefficients } = factor
  const withRows = new Float64Array(k)
  let target: Float32Array = new Float32Array(0)
  let squared = 0
  return {
    rows,
    atoms,
    coefficients,
    get count() {
      return factor.count
    },
    get isExact() {
      return factor.rest <= nothing * squared
    },
    begin(of) {
      target = of
      squared = dotProduct(of, 0, of, 0, width)
      factor.begin(squared)
    },
    add(atom) {
      const { count } = factor
      const start = count * width
      const own = dotProduct(rows, start, rows, start, width)
      for (let i = 0; i < count; i++) withRows[i] = dotProduct(rows, start, rows, i * width, width)
      const withTarget = dotProduct(rows, start, target, 0, width)
      if (!factor.add({ withRows, own, withTarget }, dependent)) return false
      atoms[count] = atom
      return true
    },
    truncate: factor.truncate,
    residual(into) {
      const { count } = factor
      for (let column = 0; column < width; column++) {
        let value = target[column]!
        for (let i = 0; i < count; i++) value -= coefficients[i]! * rows[i * width + column]!
        into[column] = value
      }
    },
  }
}
