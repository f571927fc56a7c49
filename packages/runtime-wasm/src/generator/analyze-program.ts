import type { CallFacts } from './call-facts.ts'
import { hasRows, type Instruction, kindOf, operandsOf, type Program } from '@mk/tensor/runtime'

/** How often an instruction's value changes. */
type Level = 'call' | 'row' | 'element'

export interface Analysis {
  readonly levels: readonly Level[]
  readonly isMask: readonly boolean[]
  /** Whether the elements are to be walked row by row. */
  readonly byRow: boolean
  /** Positions of the `rank` instructions, each of which needs a whole row of its operand first. */
  readonly ranks: readonly number[]
}

/** Finds out what the shape of a kernel depends on. */
export function analyzeProgram(program: Program, facts: CallFacts): Analysis {
  const { instructions, vectors } = program
  const levels: Level[] = []
  for (const instruction of instructions) levels.push(levelOf(instruction, levels, vectors, facts))
  const ranks = instructions.flatMap(({ op }, index) => (op === 'rank' ? [index] : []))
  return {
    levels,
    isMask: instructions.map((instruction) => kindOf(instruction) === 'mask'),
    byRow: hasRows(program),
    ranks,
  }
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

/** Lists the instructions that the given ones need, in program order; a rank is read from its row, not computed. */
export function neededBy(program: Program, roots: readonly number[]): readonly number[] {
  const needed = new Set<number>()
  const visit = (index: number): void => {
    if (needed.has(index)) return
    needed.add(index)
    const instruction = program.instructions[index]
    if (instruction !== undefined && instruction.op !== 'rank') operandsOf(instruction).forEach(visit)
  }
  roots.forEach(visit)
  return [...needed].sort((a, b) => a - b)
}
