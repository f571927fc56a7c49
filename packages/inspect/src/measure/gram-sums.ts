/**
 * The sums by what they are of: of the first tensor, the reference, and of the differences of the others to it, since those are known
 * more exactly than they would follow from products of the tensors themselves.
 */
export interface GramSums {
  /** Σ of the products of any two of: reference, difference 1, difference 2, …; a symmetric matrix. */
  readonly products: readonly (readonly number[])[]
  /** For any two differences: the elements in which neither is 0, and of those the ones in which their signs differ; symmetric, in this order. */
  readonly both: readonly (readonly number[])[]
  readonly conflicts: readonly (readonly number[])[]
  /** Of any two of the tensors themselves: Σ of their products, and Σ of the squares of how far they are apart; symmetric. */
  readonly ofTensors: readonly (readonly number[])[]
  readonly apart: readonly (readonly number[])[]
}

/** Two vectors of so many, and whether the signs of both matter. */
export interface GramEntry {
  readonly i: number
  readonly j: number
  readonly hasSigns: boolean
}

/** Lists what is measured: any two of reference and differences, each with those before it and with itself. */
export const gramEntries = (size: number, withSigns: boolean): GramEntry[] =>
  Array.from({ length: size }, (_, i) =>
    Array.from({ length: i + 1 }, (__, j) => ({ i, j, hasSigns: withSigns && j > 0 && i !== j })),
  ).flat()

/** Appends what follows from measured sums for the tensors themselves. It is linear in them, as is an estimate. */
export function withTensors(measured: Float64Array, size: number, withSigns: boolean): Float64Array {
  const { products } = viewMeasured(measured, size, withSigns)
  const rr = products[0]![0]!
  // The difference of the reference to itself is nothing.
  const product = (i: number, j: number) => (i === 0 || j === 0 ? 0 : products[i]![j]!)
  const withReference = (i: number) => (i === 0 ? 0 : products[0]![i]!)
  const more = gramEntries(size, false).flatMap(({ i, j }) => [
    rr + withReference(i) + withReference(j) + product(i, j),
    product(i, i) + product(j, j) - 2 * product(i, j),
  ])
  return Float64Array.of(...measured, ...more)
}

/** Gives the sums by what they are of. @param size the number of tensors */
export function viewGram(values: Float64Array, size: number, withSigns: boolean): GramSums {
  const { next, ...measured } = viewMeasured(values, size, withSigns)
  const [ofTensors, apart] = [matrix(size), matrix(size)]
  for (const [index, { i, j }] of gramEntries(size, false).entries()) {
    set(ofTensors, i, j, values[next + 2 * index]!)
    set(apart, i, j, values[next + 2 * index + 1]!)
  }
  return { ...measured, ofTensors, apart }
}

/** Gives those that are measured. */
export function viewMeasured(values: Float64Array, size: number, withSigns: boolean) {
  const [products, both, conflicts] = [matrix(size), matrix(size), matrix(size)]
  let next = 0
  for (const { i, j, hasSigns } of gramEntries(size, withSigns)) {
    set(products, i, j, values[next++]!)
    if (!hasSigns) continue
    const [equal, opposite] = [values[next++]!, values[next++]!]
    set(both, i, j, equal + opposite)
    set(conflicts, i, j, opposite)
  }
  return { products, both, conflicts, next }
}

const matrix = (size: number): number[][] => Array.from({ length: size }, () => Array.from({ length: size }, () => 0))

function set(of: number[][], i: number, j: number, value: number): void {
  of[i]![j] = value
  of[j]![i] = value
}
