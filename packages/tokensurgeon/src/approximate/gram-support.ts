import { dotProduct, type RowStore } from '../rows/row-store.ts'
import { type Combination, combinationOf } from './choose.ts'
import { createGrowingFactor } from './growing-factor.ts'
import { type Chosen, createSupport } from './support.ts'

/** Products are float32: an atom with a smaller share of its squared norm outside of the span of others is looked at in float64. */
const doubtful = 1e-3
/** So is everything from this share of a target's squared norm on. */
const nearlyReached = 1e-4
/** Coefficients are refined until their error is this share of the largest. */
const settled = 1e-12
const mostRefinements = 8

/** Atoms chosen for one target, by products that have been computed before. */
export interface GramSupport extends Chosen {
  /**
   * Starts anew.
   * @param correlations of the target with all atoms
   */
  begin(target: Float32Array, correlations: Float32Array): void
  /** Takes back all but the first `count` atoms. */
  truncate(count: number): void
  /** Takes the combination, of coefficients in float64. */
  finish(): Combination
}

/** What such a support goes by. */
export interface GramSupportParts {
  readonly atoms: RowStore
  readonly gram: RowStore
  readonly k: number
  /** [k × atoms], which gets the row of the Gram matrix of each chosen atom. */
  readonly chosenRows: Float32Array
}

/**
 * Creates an empty support of at most `k` atoms. Their coefficients follow from the rows of the Gram matrix, and are refined by the
 * residual in float64 at the end. Where float32 can't tell, what is chosen is gone through again in float64.
 */
export function createGramSupport({ atoms, gram, k, chosenRows }: GramSupportParts): GramSupport {
  const { width, rows: all } = atoms
  const chosen = new Int32Array(k)
  const factor = createGrowingFactor(k)
  const precise = createSupport(width, k)
  const products = new Float64Array(k)
  const residual = new Float64Array(width)
  let isPrecise = false
  let target: Float32Array = new Float32Array(0)
  let correlations: Float32Array = target
  let squared = 0

  const readRow = (place: number): void =>
    atoms.read(chosen[place]!, 1, precise.rows.subarray(place * width, (place + 1) * width))

  const becomePrecise = (count: number): void => {
    isPrecise = true
    precise.begin(target)
    for (let place = 0; place < count; place++) {
      readRow(place)
      precise.add(chosen[place]!)
    }
  }

  const addByGram = (atom: number, row: Float32Array): boolean => {
    const { count } = factor
    for (let i = 0; i < count; i++) products[i] = row[chosen[i]!]!
    const isAdded = factor.add({ withRows: products, own: row[atom]!, withTarget: correlations[atom]! }, doubtful)
    if (isAdded && factor.rest > nearlyReached * squared) return true
    if (isAdded) factor.truncate(count)
    return false
  }

  /** @returns whether the coefficients are as good as float64 has them */
  const refine = (coefficients: Float64Array): boolean => {
    const { length: count } = coefficients
    for (let place = 0; place < count; place++) readRow(place)
    const { rows } = precise
    let [before, largest] = [0, 0]
    for (const value of coefficients) largest = before = Math.max(largest, Math.abs(value))
    for (let round = 0; round < mostRefinements; round++) {
      residual.set(target)
      for (let i = 0; i < count; i++) subtractRow(residual, rows, i * width, coefficients[i]!)
      for (let i = 0; i < count; i++) products[i] = productWithRow(residual, rows, i * width)
      factor.solve(products)
      let change = 0
      for (let i = 0; i < count; i++) {
        coefficients[i]! += products[i]!
        change = Math.max(change, Math.abs(products[i]!))
      }
      // Each round shrinks the error by about the same factor as the one before.
      if (change * change <= settled * largest * before) return true
      before = change
    }
    return false
  }

  return {
    atoms: chosen,
    get count() {
      return isPrecise ? precise.count : factor.count
    },
    get coefficients() {
      return isPrecise ? precise.coefficients : factor.coefficients
    },
    get isExact() {
      return squared === 0 || (isPrecise && precise.isExact)
    },
    begin(of, withAll) {
      ;[target, correlations, isPrecise] = [of, withAll, false]
      squared = dotProduct(of, 0, of, 0, width)
      factor.begin(squared)
    },
    add(atom) {
      const count = isPrecise ? precise.count : factor.count
      const row = chosenRows.subarray(count * all, (count + 1) * all)
      gram.read(atom, 1, row)
      chosen[count] = atom
      if (!isPrecise) {
        if (addByGram(atom, row)) return true
        becomePrecise(count)
      }
      readRow(count)
      return precise.add(atom)
    },
    truncate(count) {
      if (isPrecise) precise.truncate(count)
      else factor.truncate(count)
    },
    finish() {
      if (!isPrecise) {
        const { count } = factor
        const coefficients = factor.coefficients.slice(0, count)
        if (refine(coefficients)) return { atoms: chosen.slice(0, count), coefficients }
        becomePrecise(count)
      }
      return combinationOf(precise)
    },
  }
}

function subtractRow(from: Float64Array, rows: Float32Array, start: number, factor: number): void {
  for (let i = 0; i < from.length; i++) from[i]! -= factor * rows[start + i]!
}

function productWithRow(values: Float64Array, rows: Float32Array, start: number): number {
  let [even, odd] = [0, 0]
  const pairs = values.length - (values.length % 2)
  for (let i = 0; i < pairs; i += 2) {
    even += values[i]! * rows[start + i]!
    odd += values[i + 1]! * rows[start + i + 1]!
  }
  return even + odd + (pairs < values.length ? values[pairs]! * rows[start + pairs]! : 0)
}
