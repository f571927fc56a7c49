import type { ElementRange } from '../chunks.ts'
import type { Operand } from '../../language/operations.ts'
import type { Bracket, Counts, Window } from './bit-brackets.ts'

/** The `rank`-th largest (from 1) of a value that isn't negative. */
export interface Search {
  readonly value: Operand
  readonly rank: number
}

export interface Found {
  /** NaN if the rank falls among the NaNs, which are larger than anything. */
  readonly threshold: number
  /** How many elements are larger than the threshold, and how many equal it. */
  readonly above: number
  readonly equal: number
  /** Where the equal ones are, ascending; present only where asked for and not all of them are among the `rank` largest. */
  readonly ties?: readonly { readonly count: number; readonly ranges: readonly ElementRange[] }[]
}

/** A search that knows where to look. */
export interface Sought extends Search {
  readonly bracket: Bracket
  /** What is likely to be the threshold itself. */
  readonly likely?: number | undefined
  /** Where it is so likely to be, among so few, that these are worth a list. */
  readonly window?: Window | undefined
}

/** What a pass tells of a search: counts in bins, and of zeros; or the threshold, where what is likely is right, else nothing. */
export type Told =
  | { readonly kind: 'counts'; readonly counts: Counts & { readonly zeros: number } }
  | ({ readonly kind: 'threshold' } & Found)
  | { readonly kind: 'misled' }
