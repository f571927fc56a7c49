import type { DifferenceSums } from './difference-sums.ts'

/** Two tensors beside one another, in numbers; null where there is none, as the cosine of a tensor of zeros. */
export interface Difference {
  readonly elementCount: number
  /** Share of the elements that differ. */
  readonly changed: number
  /** Of |B − A|. */
  readonly largest: number
  readonly mean: number
  readonly normA: number
  readonly normB: number
  /** ‖B − A‖. */
  readonly norm: number
  /** ‖B − A‖ ÷ ‖A‖. */
  readonly relative: number | null
  readonly cosine: number | null
  /** How many dimensions B − A uses; of several matrices the mean. Absent where it was not asked for, or nothing is a matrix. */
  readonly effectiveRank?: {
    readonly rank: number
    /** The smaller dimension, which the rank can't exceed. */
    readonly most: number
    readonly matrices: number
    readonly isEstimate: boolean
  }
  /** Elements that are infinite or NaN, which count as 0 in all of these. */
  readonly nonFinite: { readonly a: number; readonly b: number }
  /** Of A − C and B − C, where there is a base C. */
  readonly changes?: {
    /** ‖A − C‖ ÷ ‖C‖, and the same of B. */
    readonly relativeA: number | null
    readonly relativeB: number | null
    readonly cosine: number | null
    /** Of the elements that both change: the share that they change in opposite directions. */
    readonly conflicts: number | null
    /** Of the largest changes: the share that is among those of the other, too. */
    readonly overlap: number | null
  }
}

/** Makes of sums what is told of them. */
export function describeDifference(sums: DifferenceSums): Difference {
  const { elementCount, changes, ranks } = sums
  const [normA, normB, norm] = [sums.aa, sums.bb, sums.dd].map((squares) => Math.sqrt(Math.max(0, squares))) as [
    number,
    number,
    number,
  ]
  return {
    elementCount,
    changed: elementCount === 0 ? 0 : sums.changed / elementCount,
    largest: sums.largest,
    mean: elementCount === 0 ? 0 : sums.absolute / elementCount,
    normA,
    normB,
    norm,
    relative: sums.dd === 0 ? 0 : ratio(norm, normA),
    cosine: cosineOf(sums.ab, sums.aa, sums.bb),
    nonFinite: { a: sums.nonFiniteA, b: sums.nonFiniteB },
    ...(ranks && {
      effectiveRank: {
        rank: ranks.rank / ranks.matrices,
        most: ranks.most / ranks.matrices,
        matrices: ranks.matrices,
        isEstimate: ranks.estimates > 0,
      },
    }),
    ...(changes && {
      changes: {
        relativeA: ratio(Math.sqrt(changes.aa), Math.sqrt(changes.cc)),
        relativeB: ratio(Math.sqrt(changes.bb), Math.sqrt(changes.cc)),
        cosine: cosineOf(changes.ab, changes.aa, changes.bb),
        conflicts: ratio(changes.conflicts, changes.both),
        overlap: ratio(2 * changes.largestBoth, changes.largestA + changes.largestB),
      },
    }),
  }
}

/** Undefined numbers are null, as JSON has them. */
export const ratio = (a: number, b: number): number | null => (b === 0 ? null : a / b)

/** The cosine of the angle between two vectors, of their product and squared norms; null where one is 0. */
export const cosineOf = (product: number, squaresA: number, squaresB: number): number | null => {
  const found = ratio(product, Math.sqrt(squaresA * squaresB))
  return found === null ? null : Math.max(-1, Math.min(1, found))
}
