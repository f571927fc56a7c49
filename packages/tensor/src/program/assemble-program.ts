import type { Dtype } from '@mk/safetensors'
import { type Kind, type Operation, operations } from '../language/operations.ts'
import type { Steps } from './flatten.ts'
import type { Instruction } from './instructions.ts'
import type { Program, ProgramOutput } from './program.ts'

/** Makes the program of what `flatten` found; what does the same to the same stands once in it. */
export function assembleProgram(steps: Steps, inputDtypes: readonly Dtype[]): Program {
  const inputs = [...inputDtypes]
  const vectors: ('row' | 'column')[] = []
  const instructions: Instruction[] = []
  const outputs: ProgramOutput[] = []
  /** By what an instruction does. */
  const known = new Map<string, number>()
  /** Of the nodes, in the order in which they were finished. */
  const positions: number[] = []
  const keySlots: number[] = []
  let scalarCount = 0
  let at = 0

  const next = <T extends string | number>(): T => steps[at++] as T
  const scalars = (count: number): number => (scalarCount += count) - count
  const emit = (instruction: Instruction): number => {
    const key = Object.values(instruction).join(' ')
    let position = known.get(key)
    if (position === undefined) known.set(key, (position = instructions.push(instruction) - 1))
    return position
  }
  const operand = (): number => {
    const step = next<string>()
    if (step === 'literal') return emit({ op: 'scalar', slot: scalars(1) })
    if (step === 'again') return positions[next<number>()]!
    const position = emit(instructionOf(step))
    positions.push(position)
    return position
  }
  const instructionOf = (step: string): Instruction => {
    switch (step) {
      case 'input':
        return { op: 'input', slot: next() }
      case 'scalar':
      case 'before':
        return { op: step, slot: scalars(1) }
      case 'vector': {
        const slot = next<number>()
        vectors[slot] = next()
        return { op: 'vector', slot }
      }
      case 'uniform': {
        const high = (keySlots[next<number>()] ??= scalars(2))
        return { op: 'uniform', high, low: high + 1 }
      }
      case 'times': {
        const slot = inputDtypes.length + next<number>()
        inputs[slot] = 'F32'
        return { op: 'input', slot }
      }
      default: {
        const instruction: Record<string, number | string> = { op: step }
        const operands: Readonly<Record<string, Kind>> = operations[step as Operation].operands
        for (const name in operands) instruction[name] = operand()
        return instruction as unknown as Instruction
      }
    }
  }
  const output = (kind: ProgramOutput['kind']): ProgramOutput => {
    switch (kind) {
      case 'store': {
        const dtype = next<Dtype>()
        return { kind, value: operand(), dtype }
      }
      case 'reduce': {
        const reduce = next<Extract<ProgramOutput, { kind: 'reduce' }>['reduce']>()
        const per = next<Extract<ProgramOutput, { kind: 'reduce' }>['per']>()
        return { kind, reduce, per, value: operand() }
      }
      case 'histogram': {
        const bins = next<number>()
        return { kind, value: operand(), bins, lo: scalars(1), shift: scalars(1) }
      }
      case 'collect': {
        const length = next<number>()
        const value = operand()
        return { kind, value, windows: Array.from({ length }, () => ({ lo: scalars(1), hi: scalars(1) })) }
      }
      case 'locate':
        return { kind, mask: operand(), nth: scalars(1) }
      default:
        return kind satisfies never
    }
  }
  while (at < steps.length) outputs.push(output(next()))
  return { inputs, scalarCount, vectors, instructions, outputs }
}
