import { operandsOf, type Program } from '@mk/tensor/runtime'

/**
 * What is known of a call. A kernel made for it leaves out what that makes needless; its results are the same, and the arguments are where
 * those of the general one are.
 */
export interface CallFacts {
  /** Scalar slots that are 0, without a sign. */
  readonly zeros: ReadonlySet<number>
  /** Whether each `before` is true of all elements of the call, or of none. */
  readonly uncut: boolean
  /** Whether the high words of all elements' flat indexes are the same. */
  readonly sameHigh: boolean
  /** Whether scalars that random numbers are compared with are no larger than LARGEST_FRACTION. */
  readonly fractions: boolean
}

/** Of any call. */
export const noFacts: CallFacts = { zeros: new Set(), uncut: false, sameHigh: false, fractions: false }

/** What is worth looking at in the calls of a program, since it would change its code. */
export interface UsefulFacts extends Pick<CallFacts, 'uncut' | 'sameHigh'> {
  /** Slots of scalars that may be 0. */
  readonly slots: readonly number[]
  /** Slots of scalars that may be fractions. */
  readonly limits: readonly number[]
}

/** Lists the facts that would change a program's code. */
export function usefulFacts({ instructions }: Program): UsefulFacts {
  const slots = new Set<number>()
  const limits = instructions.flatMap((instruction) => {
    if (instruction.op !== 'lt' || instructions[instruction.a]!.op !== 'uniform') return []
    const limit = instructions[instruction.b]!
    return limit.op === 'scalar' ? [limit.slot] : []
  })
  for (const instruction of instructions) {
    if (instruction.op !== 'select') continue
    for (const operand of operandsOf(instruction)) {
      const from = instructions[operand]!
      if (from.op === 'scalar') slots.add(from.slot)
    }
  }
  return {
    slots: [...slots],
    limits,
    uncut: instructions.some(({ op }) => op === 'before'),
    sameHigh: instructions.some(({ op }) => op === 'uniform'),
  }
}
