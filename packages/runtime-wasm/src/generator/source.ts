import { dtypeBytes } from '@mk/safetensors'
import {
  type ElementOperation,
  type Instruction,
  isRowOperation,
  isSource,
  type OperationInstruction,
} from '@mk/tensor/runtime'
import {
  type Code,
  f32,
  f32x4,
  get,
  i32,
  i32x4,
  type Local,
  set,
  type Statement,
  v128,
  type Vector,
  when,
} from '@mk/wasm-encoder'
import { loadEight } from './codec.ts'
import { type Emission, floatArgument, groupLanes, wordArgument } from './emission.ts'
import { argument } from './layout.ts'
import { areSmall, expOfSmall } from './elementary.ts'
import { operate } from './operate.ts'
import { fold, uniformOf, uniformWords } from './uniform.ts'
import { increase, type Stream } from './sink.ts'

/** How an instruction without operands in the block gets its values. */
export interface Source {
  readonly stream?: Stream
  readonly usesLanes?: boolean
  readonly atStart: readonly Statement[]
  compute(groups: number): readonly Statement[]
}

/** Gives instructions their source that take what a call brings, or what is there before the elements are computed: ranks, and masks by rank. */
export function sourceOf(emission: Emission, instruction: Instruction, position: number): Source | undefined {
  const { analysis, program, scope, place } = emission
  const at = argument.instruction(position)
  if (analysis.keeps.some(({ mask }) => mask === position)) {
    const pointer = scope.local('i32')
    const rowStart = scope.local('i32')
    return {
      stream: { pointer, elementBytes: 2, rowStart },
      atStart: [set(rowStart, wordArgument(emission, at))],
      compute: (groups) =>
        Array.from({ length: groups }, (_, group) =>
          set(place(position, group), v128.load16x4_s(get(pointer), 8 * group)),
        ),
    }
  }
  if (!isSource(instruction) && !isRowOperation(instruction)) return undefined
  const word = (index: number): Code<'i32'> => wordArgument(emission, at + 4 * index)
  const splatArgument = (index: number): { local: Local<'v128'>; load: Statement } => {
    const local = scope.local('v128')
    return { local, load: set(local, i32x4.splat(word(index))) }
  }
  switch (instruction.op) {
    case 'input': {
      const dtype = program.inputs[instruction.slot]!
      const elementBytes = dtypeBytes(dtype)
      const pointer = scope.local('i32')
      return {
        stream: { pointer, elementBytes },
        atStart: [set(pointer, word(0))],
        compute: (groups) =>
          Array.from({ length: groups / 2 }, (_, pair) =>
            emission.withTemporaries((keep) => {
              const [a, b] = loadEight(dtype, get(pointer), 8 * pair * elementBytes, keep)
              return [set(place(position, 2 * pair), a), set(place(position, 2 * pair + 1), b)]
            }),
          ).flat(),
      }
    }
    case 'scalar':
      return { atStart: [], compute: () => [set(place(position, 0), f32x4.splat(floatArgument(emission, at)))] }
    case 'vector':
    case 'rank': {
      const pointer = scope.local('i32')
      if (instruction.op === 'vector' && program.vectors[instruction.slot] === 'row') {
        return {
          atStart: [set(pointer, word(0))],
          compute: () => [
            set(place(position, 0), f32x4.splat(f32.load(get(pointer)))),
            increase(pointer, i32.const(4)),
          ],
        }
      }
      const rowStart = scope.local('i32')
      const toFloat = instruction.op === 'rank' ? f32x4.convert_i32x4_s : (values: Vector) => values
      return {
        stream: { pointer, elementBytes: 4, rowStart },
        atStart: [set(rowStart, word(0))],
        compute: (groups) =>
          Array.from({ length: groups }, (_, group) =>
            set(place(position, group), toFloat(v128.load(get(pointer), 16 * group))),
          ),
      }
    }
    case 'before': {
      const end = splatArgument(0)
      if (emission.facts.uncut) {
        return {
          atStart: [end.load],
          compute: () => [set(place(position, 0), i32x4.lt_s(i32x4.const(0), get(end.local)))],
        }
      }
      return {
        usesLanes: true,
        atStart: [end.load],
        compute: (groups) =>
          Array.from({ length: groups }, (_, group) =>
            set(place(position, group), i32x4.lt_s(groupLanes(emission, group), get(end.local))),
          ),
      }
    }
    case 'uniform': {
      const [low, high, highChange, lastBefore] = [
        splatArgument(0),
        splatArgument(1),
        splatArgument(2),
        splatArgument(3),
      ]
      const folded = [high, highChange].map(({ local }) => set(local, fold(get(local), 16)))
      // Those of each group, so that one addition gives its words.
      const lows = Array.from({ length: 4 }, (_, group) => (group === 0 ? low.local : scope.local('v128')))
      const addGroups = lows.map((local, group) => set(local, i32x4.add(get(low.local), i32x4.const(4 * group))))
      const call = {
        high: get(high.local),
        ...(!emission.facts.sameHigh && { change: { high: get(highChange.local), lastBefore: get(lastBefore.local) } }),
      }
      return {
        usesLanes: true,
        atStart: [low.load, high.load, highChange.load, lastBefore.load, ...folded, ...addGroups.slice(1)],
        compute: (groups) =>
          Array.from({ length: groups }, (_, group) =>
            emission.withTemporaries((keep) => {
              const words = keep(i32x4.add(get(emission.lanes), get(lows[group]!)))
              const word = emission.drawnWord(position, group)
              return [
                set(word, uniformWords(call, groupLanes(emission, group), words, keep)),
                set(place(position, group), uniformOf(get(word))),
              ]
            }),
          ).flat(),
      }
    }
    default:
      return instruction satisfies never
  }
}

/** Gives an instruction its value, for each group of a block. */
export function compute(
  emission: Emission,
  sources: readonly (Source | undefined)[],
  position: number,
  groups: number,
): readonly Statement[] {
  const instruction = emission.program.instructions[position]!
  const source = sources[position]
  if (source !== undefined || isSource(instruction) || isRowOperation(instruction)) return source!.compute(groups)
  // Weights are small as a rule, and then a third of the instructions do.
  const general = computeEach(emission, instruction, position, groups)
  if (instruction.op !== 'exp' || groups === 1) return general
  const operands = Array.from({ length: groups }, (_, group) => emission.value(instruction.a, group))
  const small = operands.map((x, group) => set(emission.place(position, group), expOfSmall(x)))
  return [when(areSmall(operands), small, general)]
}

function computeEach(
  emission: Emission,
  instruction: OperationInstruction<ElementOperation>,
  position: number,
  groups: number,
): readonly Statement[] {
  return Array.from({ length: groups }, (_, group) =>
    emission.withTemporaries((keep) => [
      set(emission.place(position, group), operate(emission, instruction, group, keep)),
    ]),
  ).flat()
}
