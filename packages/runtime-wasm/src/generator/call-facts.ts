import { operandsOf, type Program, type ProgramOutput } from '@mk/tensor/runtime'

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
  /** Whether scalars that values are bounded by are neither 0 nor NaN, so that a comparison tells the larger one. */
  readonly ordered: boolean
  /**
   * Whether counts of elements within limits are taken to be of all. Where one isn't, it is -1 in the place of a count, what was stored is
   * of no use, and the call has to run again without this.
   */
  readonly within: boolean
}

/** Of any call. */
export const noFacts: CallFacts = {
  zeros: new Set(),
  uncut: false,
  sameHigh: false,
  fractions: false,
  ordered: false,
  within: false,
}

/** What is worth looking at in the calls of a program, since it would change its code. */
export interface UsefulFacts extends Pick<CallFacts, 'uncut' | 'sameHigh'> {
  /** Slots of scalars that may be 0. */
  readonly slots: readonly number[]
  /** Slots of scalars that may be fractions. */
  readonly limits: readonly number[]
  /** Slots of scalars that values are bounded by. */
  readonly bounds: readonly number[]
  /** Positions of the outputs that count elements within limits; none where running again would change what others give. */
  readonly counts: readonly number[]
}

/** Lists the facts that would change a program's code. */
export function usefulFacts(program: Program): UsefulFacts {
  const { instructions, outputs } = program
  const slots = new Set<number>()
  const bounds = instructions.flatMap((instruction) => {
    if (instruction.op !== 'minimum' && instruction.op !== 'maximum') return []
    const scalars = operandsOf(instruction).map((operand) => instructions[operand]!)
    return scalars.flatMap((from) => (from.op === 'scalar' ? [from.slot] : []))
  })
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
    bounds,
    counts: outputs.every((output) => output.kind === 'store' || isTotal(output))
      ? outputs.flatMap((output, position) => (isTotal(output) && limitsOf(program, output.value) ? [position] : []))
      : [],
    uncut: instructions.some(({ op }) => op === 'before'),
    sameHigh: instructions.some(({ op }) => op === 'uniform'),
  }
}

/** Totals are set, not added to, by each run. */
const isTotal = (output: ProgramOutput): output is Extract<ProgramOutput, { kind: 'reduce' }> =>
  output.kind === 'reduce' && output.reduce === 'sum' && output.per === 'tensor'

/** A magnitude that a mask compares with a scalar: the positions of both. */
export interface Limit {
  readonly magnitude: number
  readonly scalar: number
}

/** Of a mask that tells whether magnitudes are no larger than scalars lists these; undefined of any other. */
export function limitsOf(program: Program, mask: number): readonly Limit[] | undefined {
  const { instructions } = program
  const instruction = instructions[mask]!
  if (instruction.op === 'and') {
    const [first, second] = [limitsOf(program, instruction.a), limitsOf(program, instruction.b)]
    return first && second && [...first, ...second]
  }
  return instruction.op === 'le' &&
    instructions[instruction.a]!.op === 'abs' &&
    instructions[instruction.b]!.op === 'scalar'
    ? [{ magnitude: instruction.a, scalar: instruction.b }]
    : undefined
}

/** Tells whether a value is among those that are taken to be within limits, and so no NaN. */
export const isTakenWithin = (program: Program, facts: CallFacts, value: number): boolean =>
  facts.within &&
  usefulFacts(program).counts.some((position) => {
    const output = program.outputs[position]!
    const limits = 'value' in output ? limitsOf(program, output.value) : undefined
    return limits?.some(({ magnitude }) => {
      const instruction = program.instructions[magnitude]!
      return instruction.op === 'abs' && instruction.a === value
    })
  })
