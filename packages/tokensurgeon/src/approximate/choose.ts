import type { RowStore } from '../rows/row-store.ts'
import type { Support } from './support.ts'

/** A row as a combination of atoms. */
export interface Combination {
  /** Which atoms, in the order of their choice. */
  readonly atoms: Int32Array
  readonly coefficients: Float64Array
}

/** Atoms that turned out to depend on those chosen, after which a target is left as it is. */
export const mostRefused = 16

/** Takes what a support holds. */
export const combinationOf = ({ atoms, coefficients, count }: Support): Combination => ({
  atoms: atoms.slice(0, count),
  coefficients: coefficients.slice(0, count),
})

/** What the next atom of a target is chosen by. */
export interface Choice {
  readonly atoms: RowStore
  readonly support: Support
  /** Atoms that are in the span of those chosen, which grows. */
  readonly refused: Set<number>
  readonly correlations: Float32Array
}

/** Chooses the next atom of a target. @returns false where there is none */
export function choose({ atoms, support, refused, correlations }: Choice): boolean {
  while (!support.isExact && refused.size <= mostRefused) {
    const atom = largest(correlations, support, refused)
    if (atom < 0) return false
    const { width } = atoms
    atoms.read(atom, 1, support.rows.subarray(support.count * width, (support.count + 1) * width))
    if (support.add(atom)) return true
    refused.add(atom)
  }
  return false
}

/** Finds the atom of the largest correlation that is neither chosen nor refused; the first of equal ones. @returns -1 where there is none */
export function largest(
  correlations: Float32Array,
  { atoms, count }: Pick<Choice['support'], 'atoms' | 'count'>,
  refused: Iterable<number>,
): number {
  const passed = [...atoms.subarray(0, count), ...refused]
  const values = passed.map((atom) => correlations[atom]!)
  for (const atom of passed) correlations[atom] = 0
  const found = largestOf(correlations)
  passed.forEach((atom, index) => (correlations[atom] = values[index]!))
  return found
}

/** By both signs, and without arrays, which makes it several times as fast. */
function largestOf(values: Float32Array): number {
  let found = -1
  let most = 0
  let least = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value > most || value < least) {
      found = i
      most = Math.abs(value)
      least = -most
    }
  }
  return found
}
