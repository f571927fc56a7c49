import type { Gram } from '../measure/gram.ts'
import type { GramSums } from '../measure/gram-sums.ts'

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
  { elementCount, products, ofTensors, nonFinite }: GramSums & Pick<Gram, 'elementCount' | 'nonFinite'>,
  hasBase: boolean,
): ModelSums[] {
  const cc = products[0]![0]!
  return ofTensors.flatMap((row, i): ModelSums[] => {
    if (i === 0 && hasBase) return []
    const dd = i === 0 ? 0 : products[i]![i]!
    return [{ elementCount, xx: row[i]!, cc, xc: row[0]!, dd, nonFinite: nonFinite[i]! }]
  })
}

/** Gives what was found of tensors by pairs of models, each with those before it. */
export function pairSums(
  { products, both, conflicts, ofTensors, apart }: GramSums,
  hasBase: boolean,
): { readonly x: number; readonly y: number; readonly sums: PairSums }[] {
  const first = hasBase ? 1 : 0
  // The difference of the reference to itself is nothing.
  const product = (i: number, j: number) => (i === 0 || j === 0 ? 0 : products[i]![j]!)
  const pairs = []
  for (let y = first + 1; y < products.length; y++)
    for (let x = first; x < y; x++) {
      const [dxx, dyy, dxy] = [product(x, x), product(y, y), product(x, y)]
      pairs.push({
        x: x - first,
        y: y - first,
        sums: {
          xx: ofTensors[x]![x]!,
          yy: ofTensors[y]![y]!,
          xy: ofTensors[x]![y]!,
          apart: Math.max(0, apart[x]![y]!),
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
