import type { RankSums } from './effective-rank.ts'

/** What is added up over the elements of two tensors A and B, or of many: float64. */
export interface DifferenceSums {
  readonly elementCount: number
  /** Elements in which they differ. */
  readonly changed: number
  /** Of |B − A|. */
  readonly largest: number
  readonly absolute: number
  /** Σ A², Σ B², Σ A·B, Σ (B − A)². */
  readonly aa: number
  readonly bb: number
  readonly ab: number
  readonly dd: number
  /** Elements that are infinite or NaN; they count as 0 above. */
  readonly nonFiniteA: number
  readonly nonFiniteB: number
  /** Of both to a base C, where there is one. */
  readonly changes?: ChangeSums
  /** Of B − A, where it is asked for. */
  readonly ranks?: RankSums
}

/** What is added up over the changes A − C and B − C. */
interface ChangeSums {
  /** Σ C², Σ (A − C)², Σ (B − C)², Σ (A − C)·(B − C). */
  readonly cc: number
  readonly aa: number
  readonly bb: number
  readonly ab: number
  /** Elements that both change, and of those the ones that they change in opposite directions. */
  readonly both: number
  readonly conflicts: number
  /** Elements among the largest changes of A, of B, and of both. */
  readonly largestA: number
  readonly largestB: number
  readonly largestBoth: number
}

const noChanges: ChangeSums = {
  cc: 0,
  aa: 0,
  bb: 0,
  ab: 0,
  both: 0,
  conflicts: 0,
  largestA: 0,
  largestB: 0,
  largestBoth: 0,
}

/** What a tensor without elements gives. */
export const nothing = (hasBase: boolean): DifferenceSums => ({
  elementCount: 0,
  changed: 0,
  largest: 0,
  absolute: 0,
  aa: 0,
  bb: 0,
  ab: 0,
  dd: 0,
  nonFiniteA: 0,
  nonFiniteB: 0,
  ...(hasBase && { changes: noChanges }),
})

/** Adds up what was found in several tensors. */
export function addDifferences(all: readonly DifferenceSums[], hasBase: boolean): DifferenceSums {
  return all.reduce((total, { changes, ranks, largest, ...sums }) => {
    const merged = {
      ...addEach(total, sums),
      largest: Math.max(total.largest, largest),
      ...(ranks && { ranks: total.ranks === undefined ? ranks : addEach(total.ranks, ranks) }),
    }
    return total.changes === undefined || changes === undefined
      ? merged
      : { ...merged, changes: addEach(total.changes, changes) }
  }, nothing(hasBase))
}

const addEach = <T extends object>(total: T, part: object): T => ({
  ...total,
  ...Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, (total as Record<string, number>)[key]! + (value as number)]),
  ),
})
