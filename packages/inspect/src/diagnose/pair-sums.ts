import type { Gram, GramSums } from '../measure/gram.ts'

/** What is added up of one model, over the tensors that it has a part in. */
export interface ModelSums {
  readonly elementCount: number
  /** Σ x². */
  readonly xx: number
  /** Σ c², Σ x·c, Σ (x − c)² with the base c, where there is one. */
  readonly cc: number
  readonly xc: number
  readonly dd: number
  readonly nonFinite: number
}

/** What is added up of two models x and y, over the tensors that both have a part in. */
export interface PairSums {
  /** Σ x², Σ y², Σ x·y, Σ (x − y)². */
  readonly xx: number
  readonly yy: number
  readonly xy: number
  readonly apart: number
  /** Of the changes to the base: Σ dx², Σ dy², Σ dx·dy; elements that both change, and those that they change in opposite directions. */
  readonly dxx: number
  readonly dyy: number
  readonly dxy: number
  readonly both: number
  readonly conflicts: number
}

/** Gives what was found of tensors by models. @param hasBase whether the first vector of the Gram matrix is no model, but what the others are the differences to */
export function modelSums(
  { elementCount, products, nonFinite }: GramSums & Pick<Gram, 'elementCount' | 'nonFinite'>,
  hasBase: boolean,
): ModelSums[] {
  const [reference] = products
  return products.flatMap((row, i): ModelSums[] => {
    if (i === 0 && hasBase) return []
    const cc = reference![0]!
    const [cd, dd] = i === 0 ? [0, 0] : [reference![i]!, row[i]!]
    return [{ elementCount, xx: cc + 2 * cd + dd, cc, xc: cc + cd, dd, nonFinite: nonFinite[i]! }]
  })
}

/** Gives what was found of tensors by pairs of models, each with those before it. */
export function pairSums(
  { products, both, conflicts }: GramSums,
  hasBase: boolean,
): { readonly x: number; readonly y: number; readonly sums: PairSums }[] {
  const first = hasBase ? 1 : 0
  const rr = products[0]![0]!
  // The difference of the reference to itself is nothing.
  const product = (i: number, j: number) => (i === 0 || j === 0 ? 0 : products[i]![j]!)
  const withReference = (i: number) => (i === 0 ? 0 : products[0]![i]!)
  const full = (i: number, j: number) => rr + withReference(i) + withReference(j) + product(i, j)
  const pairs = []
  for (let y = first + 1; y < products.length; y++)
    for (let x = first; x < y; x++) {
      const [dxx, dyy, dxy] = [product(x, x), product(y, y), product(x, y)]
      pairs.push({
        x: x - first,
        y: y - first,
        sums: {
          xx: full(x, x),
          yy: full(y, y),
          xy: full(x, y),
          apart: Math.max(0, dxx + dyy - 2 * dxy),
          dxx,
          dyy,
          dxy,
          both: both[x]![y]!,
          conflicts: conflicts[x]![y]!,
        },
      })
    }
  return pairs
}

/** Adds up what was found of the same models in two places. */
export const addSums = <T extends object>(total: T | undefined, part: T): T =>
  total === undefined
    ? part
    : (Object.fromEntries(
        Object.entries(total).map(([key, value]) => [key, (value as number) + (part as Record<string, number>)[key]!]),
      ) as T)
