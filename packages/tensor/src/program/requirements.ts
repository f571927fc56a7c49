import { isRowOperation } from './instructions.ts'
import type { Program } from './program.ts'

/** Lists the input slots that instructions read, ascending; the bytes of the others need not be there. */
export function usedInputs(program: Program): number[] {
  const used = new Set(
    program.instructions.flatMap((instruction) => (instruction.op === 'input' ? [instruction.slot] : [])),
  )
  return [...used].toSorted((a, b) => a - b)
}

/** Tells whether what a program computes depends on where rows begin. */
export const hasRows = (program: Program): boolean =>
  program.vectors.length > 0 ||
  needsWholeRows(program) ||
  program.outputs.some((output) => output.kind === 'reduce' && output.per !== 'tensor')

/** Tells whether every call must cover whole rows. */
export const needsWholeRows = (program: Program): boolean => program.instructions.some(isRowOperation)
