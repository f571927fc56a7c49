import type { Dtype } from '@mk/safetensors'
import type { ElementRange } from './chunks.ts'
import type { Mask } from '../language/operations.ts'
import type { Lowered } from '../program/lower.ts'
import type { KernelResult } from '../runtime/runtime.ts'
import type { RunProducts } from '../blocks/block-plan.ts'

/** One pass over the inputs, or over parts of them: the same kernel for each of a list of ranges. */
export interface Stage extends Lowered {
  /** The tensor as a matrix, for `KernelCall.columns`. */
  readonly columns: number
  /**
   * Each is one kernel call. Ascending, disjoint, not necessarily all of the tensor; at most CHUNK_ELEMENTS long unless it is one row, or the
   * one range among which an element is looked for, which may be several chunks long.
   */
  readonly ranges: readonly ElementRange[]
  /**
   * How many consecutive ranges make a group within which all results are counts, so that order and grouping don't matter: a
   * runner may add the results of ranges of one group, element by element, and report the total once, under the index of any of
   * them. 1 where each result is wanted by itself.
   */
  readonly groupSize: number
  /**
   * The elements of all ranges are one kernel call, one after the other as a matrix of so many `columns`, and their results are
   * those of range 0: of a sample, whose pieces are too short for a call each. Absent: each range is a call.
   */
  readonly gathered?: true
  /** Masks whose truth the stage stores as one U8 for each element (`maskCodes`), for whoever wants to keep it. Absent: it stores nothing. */
  readonly remembered?: readonly Mask[]
}

/**
 * Runs a stage, on any number of workers and in any order. `onResult` gets the index in `stage.ranges` and the results of
 * that call, which are then the session's. Results far out of order cost memory.
 * Resolves after the last `onResult`.
 */
export type RunStage = (stage: Stage, onResult: (index: number, result: KernelResult) => void) => Promise<void>

/** A tensor that is known by the stages that are run over it. */
export interface StreamedTensor {
  readonly shape: readonly number[]
  readonly elementCount: number
  /** The stored dtype of each input slot. */
  readonly inputDtypes: readonly Dtype[]
  readonly runStage: RunStage
  /** Whether stages may store what masks are. */
  readonly remembers?: true
  /** Absent: there are no products of matrices. */
  readonly runProducts?: RunProducts
}
