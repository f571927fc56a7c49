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
}

/** Of any call. */
export const noFacts: CallFacts = { zeros: new Set(), uncut: false, sameHigh: false }

/** Lists the facts that would change a program's code: the slots of scalars that are worth looking at, and whether the others are. */
export function usefulFacts({
  instructions,
}: Program): { readonly slots: readonly number[] } & Pick<CallFacts, 'uncut' | 'sameHigh'> {
  const slots = new Set<number>()
  for (const instruction of instructions) {
    if (instruction.op !== 'select') continue
    for (const operand of operandsOf(instruction)) {
      const from = instructions[operand]!
      if (from.op === 'scalar') slots.add(from.slot)
    }
  }
  return {
    slots: [...slots],
    uncut: instructions.some(({ op }) => op === 'before'),
    sameHigh: instructions.some(({ op }) => op === 'uniform'),
  }
}
