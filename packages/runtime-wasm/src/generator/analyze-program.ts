import type { CallFacts } from './call-facts.ts'
import { hasRows, type Instruction, kindOf, operandsOf, type Program } from '@mk/tensor/runtime'

/** How often an instruction's value changes. */
type Level = 'call' | 'row' | 'element'

export interface Analysis {
  readonly levels: readonly Level[]
  readonly isMask: readonly boolean[]
  /** Whether the elements are to be walked row by row. */
  readonly byRow: boolean
  /** Positions of the `rank` instructions whose values are needed, each of which needs a whole row of its operand first. */
  readonly ranks: readonly number[]
  /** Masks that take ranks only to compare with what is drawn. */
  readonly keeps: readonly KeptByRank[]
  /** Positions of what is computed row by row before the elements, and read from there. */
  readonly fromRows: ReadonlySet<number>
}

/**
 * A mask `lt(uniform, add(from, mul(rank(abs(…)), step)))` whose limit nothing else takes, `from` and `step` the same for all elements: the positions
 * of its parts.
 */
export interface KeptByRank {
  readonly mask: number
  readonly drawn: number
  readonly from: number
  readonly step: number
  readonly rank: number
  readonly magnitude: number
}

/** Finds out what the shape of a kernel depends on. */
export function analyzeProgram(program: Program, facts: CallFacts): Analysis {
  const { instructions, vectors } = program
  const levels: Level[] = []
  for (const instruction of instructions) levels.push(levelOf(instruction, levels, vectors, facts))
  const keeps = keptByRank(program)
  const spared = new Set(keeps.map(({ rank }) => rank))
  const ranks = instructions.flatMap(({ op }, index) => (op === 'rank' && !spared.has(index) ? [index] : []))
  return {
    levels,
    isMask: instructions.map((instruction) => kindOf(instruction) === 'mask'),
    byRow: hasRows(program),
    ranks,
    keeps,
    fromRows: new Set([...ranks, ...keeps.map(({ mask }) => mask)]),
  }
}

/** Lists the masks that take ranks only to compare with what is drawn. */
export function keptByRank({ instructions, outputs }: Program): readonly KeptByRank[] {
  const uses = instructions.map(() => 0)
  const taken = [
    ...instructions.flatMap(operandsOf),
    ...outputs.map((output) => ('mask' in output ? output.mask : output.value)),
  ]
  for (const position of taken) uses[position]!++
  const isNumber = (position: number): boolean => instructions[position]!.op === 'scalar'
  /** The other one of two operands, of which one is a number. */
  const besideNumber = (position: number, op: 'add' | 'mul'): { number: number; other: number } | undefined => {
    const instruction = instructions[position]!
    if (instruction.op !== op || uses[position] !== 1) return undefined
    const { a, b } = instruction
    return isNumber(a) ? { number: a, other: b } : isNumber(b) ? { number: b, other: a } : undefined
  }
  return instructions.flatMap((instruction, mask) => {
    if (instruction.op !== 'lt' || instructions[instruction.a]!.op !== 'uniform') return []
    const sum = besideNumber(instruction.b, 'add')
    const product = sum && besideNumber(sum.other, 'mul')
    const ranking = product && instructions[product.other]!
    if (ranking?.op !== 'rank' || uses[product!.other] !== 1 || instructions[ranking.a]!.op !== 'abs') return []
    return [
      {
        mask,
        drawn: instruction.a,
        from: sum!.number,
        step: product!.number,
        rank: product!.other,
        magnitude: ranking.a,
      },
    ]
  })
}

function levelOf(
  instruction: Instruction,
  levels: readonly Level[],
  vectors: Program['vectors'],
  facts: CallFacts,
): Level {
  switch (instruction.op) {
    case 'scalar':
      return 'call'
    case 'vector':
      return vectors[instruction.slot] === 'row' ? 'row' : 'element'
    case 'input':
    case 'uniform':
    case 'rank':
      return 'element'
    case 'before':
      return facts.uncut ? 'call' : 'element'
    default: {
      const operands = operandsOf(instruction).map((operand) => levels[operand])
      return operands.includes('element') ? 'element' : operands.includes('row') ? 'row' : 'call'
    }
  }
}

/** Lists the instructions that the given ones need, in program order, without the operands of what is read from rows. */
export function neededBy(
  program: Program,
  { fromRows }: Pick<Analysis, 'fromRows'>,
  roots: readonly number[],
): readonly number[] {
  const needed = new Set<number>()
  const visit = (index: number): void => {
    if (needed.has(index)) return
    needed.add(index)
    const instruction = program.instructions[index]
    if (instruction !== undefined && !fromRows.has(index)) operandsOf(instruction).forEach(visit)
  }
  roots.forEach(visit)
  return [...needed].sort((a, b) => a - b)
}
