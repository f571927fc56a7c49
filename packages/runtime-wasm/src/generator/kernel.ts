import { dtypeBytes } from '@mk/safetensors'
import type { Instruction, Program, ProgramOutput } from '@mk/tensor'
import { call, get, type Local, loopWhile, set, type Statement } from '../encoder/code.ts'
import { defineFunction, encodeModule, type FunctionCode } from '../encoder/module.ts'
import { f32, i32 } from '../encoder/scalar.ts'
import { f32x4, i32x4, v128 } from '../encoder/simd.ts'
import { neededBy } from './analyse.ts'
import { loadEight } from './codec.ts'
import { createEmission, type Emission, floatArgument, groupLanes, operate, setLanes, wordArgument } from './emission.ts'
import { histogramSink } from './histogram.ts'
import { argument } from './layout.ts'
import { locateSink } from './locate.ts'
import { uniformLanes } from './random.ts'
import { rankFunction, sortKeySink } from './rank.ts'
import { columnSink, reduceSink } from './reduce.ts'
import { type Block, increase, type Sink, smaller, type Stream } from './sink.ts'
import { storeSink } from './store.ts'

/** The WebAssembly module of a program: `run(block)` reads its arguments as layout.ts says. */
export function generateModule(program: Program, memoryPages: number): Uint8Array<ArrayBuffer> {
  const usesRank = program.instructions.some(({ op }) => op === 'rank')
  return encodeModule(memoryPages, [...(usesRank ? [rankFunction()] : []), kernelFunction(program)])
}

const kernelFunction = (program: Program): FunctionCode => defineFunction(['i32'], (scope, block) => {
  const emission = createEmission(program, scope, block)
  const { analysis, elementCount, index, rowEnd, rowLength } = emission
  const sources = program.instructions.map((instruction, position) => sourceOf(emission, instruction, position))
  const sinks = program.outputs.map((output, position) => createSink(emission, output, position))
  const main = createPass(emission, sources, sinks)
  const rankPasses = analysis.ranks.map((position) => createRankPass(emission, sources, position))
  const all = [main, ...rankPasses.map(({ pass }) => pass)]
  const streams = [...new Set(all.flatMap((pass) => pass.streams))]
  const parts = [...sinks, ...rankPasses.map(({ sink }) => sink)]
  const needed = [...new Set(all.flatMap((pass) => pass.needed))].sort((a, b) => a - b)
  const atLevel = (level: 'call' | 'row'): readonly Statement[] =>
    needed.filter((position) => analysis.levels[position] === level).flatMap((position) => compute(emission, sources, position, 1))

  const start = [
    set(elementCount, wordArgument(emission, argument.elementCount)),
    set(emission.spill, wordArgument(emission, argument.spill)),
    set(index, i32.const(0)),
    ...needed.flatMap((position) => sources[position]?.atStart ?? []),
    ...parts.flatMap((sink) => sink.atStart),
    ...atLevel('call'),
  ]
  const end = sinks.flatMap((sink) => sink.atEnd)
  if (!analysis.byRow) return [...start, set(rowEnd, get(elementCount)), ...main.loops, ...end]

  // Streams that only the ranks read have gone back to the start of the row.
  const unread = streams.filter((stream) => stream.rowStart === undefined && !main.streams.includes(stream))
  const column = scope.local('i32')
  const left = scope.local('i32')
  return [
    ...start,
    set(column, wordArgument(emission, argument.firstColumn)),
    set(left, wordArgument(emission, argument.firstLength)),
    loopWhile(i32.less(get(index), get(elementCount)), [
      set(rowLength, smaller(get(left), i32.sub(get(elementCount), get(index)))),
      set(rowEnd, i32.add(get(index), get(rowLength))),
      ...streams.flatMap(({ pointer, elementBytes, rowStart }) =>
        rowStart === undefined ? [] : [set(pointer, i32.add(get(rowStart), i32.mul(get(column), i32.const(elementBytes))))]),
      ...atLevel('row'),
      ...sinks.flatMap((sink) => sink.atRow),
      ...rankPasses.flatMap(({ run }) => run),
      ...main.loops,
      ...unread.map(({ pointer, elementBytes }) => increase(pointer, i32.mul(get(rowLength), i32.const(elementBytes)))),
      ...sinks.flatMap((sink) => sink.atRowEnd),
      set(column, i32.const(0)),
      set(left, wordArgument(emission, argument.columns)),
    ]),
    ...end,
  ]
})

/** How an instruction without operands in the block gets its values. */
interface Source {
  readonly stream?: Stream
  readonly usesLanes?: boolean
  readonly atStart: readonly Statement[]
  compute(groups: number): readonly Statement[]
}

function sourceOf(emission: Emission, instruction: Instruction, position: number): Source | undefined {
  const { program, scope, place } = emission
  const at = argument.instruction(position)
  const word = (index: number): ReturnType<typeof wordArgument> => wordArgument(emission, at + 4 * index)
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
        compute: (groups) => Array.from({ length: groups / 2 }, (_, pair) => emission.withTemporaries((keep) => {
          const [a, b] = loadEight(dtype, get(pointer), 8 * pair * elementBytes, keep)
          return [set(place(position, 2 * pair), a), set(place(position, 2 * pair + 1), b)]
        })).flat(),
      }
    }
    case 'scalar':
      return { atStart: [], compute: () => [set(place(position, 0), f32x4.splat(floatArgument(emission, at)))] }
    case 'vector': case 'rank': {
      const pointer = scope.local('i32')
      if (instruction.op === 'vector' && program.vectors[instruction.slot] === 'row') {
        return {
          atStart: [set(pointer, word(0))],
          compute: () => [set(place(position, 0), f32x4.splat(f32.load(get(pointer)))), increase(pointer, i32.const(4))],
        }
      }
      const rowStart = scope.local('i32')
      return {
        stream: { pointer, elementBytes: 4, rowStart },
        atStart: [set(rowStart, word(0))],
        compute: (groups) => Array.from({ length: groups }, (_, group) => set(place(position, group), v128.load(get(pointer), 16 * group))),
      }
    }
    case 'before': {
      const end = splatArgument(0)
      return {
        usesLanes: true,
        atStart: [end.load],
        compute: (groups) => Array.from({ length: groups }, (_, group) => set(place(position, group), i32x4.lessSigned(groupLanes(emission, group), get(end.local)))),
      }
    }
    case 'uniform': {
      const [low, block, blockChange, lastOfBlock] = [splatArgument(0), splatArgument(1), splatArgument(2), splatArgument(3)]
      const call = { low: get(low.local), block: get(block.local), blockChange: get(blockChange.local), lastOfBlock: get(lastOfBlock.local) }
      return {
        usesLanes: true,
        atStart: [low.load, block.load, blockChange.load, lastOfBlock.load],
        compute: (groups) => Array.from({ length: groups }, (_, group) => emission.withTemporaries((keep) =>
          [set(place(position, group), uniformLanes(call, keep(groupLanes(emission, group)), keep))])).flat(),
      }
    }
    default:
      return undefined
  }
}

function createSink(emission: Emission, output: ProgramOutput, position: number): Sink {
  switch (output.kind) {
    case 'store':
      return storeSink(emission, output, position)
    case 'reduce':
      return output.along === 'column' ? columnSink(emission, output, position) : reduceSink(emission, output, position)
    case 'histogram':
      return histogramSink(emission, output, position)
    case 'locate':
      return locateSink(emission, output, position)
    default:
      return output satisfies never
  }
}

/** The statements that give an instruction its value, for each group of a block. */
function compute(emission: Emission, sources: readonly (Source | undefined)[], position: number, groups: number): readonly Statement[] {
  const source = sources[position]
  if (source !== undefined) return source.compute(groups)
  const instruction = emission.program.instructions[position]!
  return Array.from({ length: groups }, (_, group) =>
    emission.withTemporaries((keep) => [set(emission.place(position, group), operate(emission, instruction, group, keep))])).flat()
}

/** Everything that is done to the elements from `index` to `rowEnd`. */
interface Pass {
  readonly needed: readonly number[]
  readonly streams: readonly Stream[]
  readonly loops: readonly Statement[]
}

/** With more instructions per element, a second pair of groups only makes the code longer: one keeps the processor busy. */
const SHORT_PROGRAM = 8

function createPass(emission: Emission, sources: readonly (Source | undefined)[], sinks: readonly Sink[]): Pass {
  const { program, analysis, scope, index, rowEnd } = emission
  const needed = neededBy(program, sinks.map(({ uses }) => uses))
  const ofElement = needed.filter((position) => analysis.levels[position] === 'element')
  const streams = [...ofElement.flatMap((position) => sources[position]?.stream ?? []), ...sinks.flatMap((sink) => sink.streams)]
  const usesLanes = ofElement.some((position) => sources[position]?.usesLanes)
  const body = (block: Block): readonly Statement[] => [
    ...ofElement.flatMap((position) => compute(emission, sources, position, block.groups)),
    ...sinks.flatMap((sink) => sink.each(block)),
  ]
  const advance = (count: (elementBytes: number) => ReturnType<typeof i32.const>): readonly Statement[] => [
    ...streams.map(({ pointer, elementBytes }) => increase(pointer, count(elementBytes))),
    increase(index, count(1)),
  ]

  const groups = ofElement.length > SHORT_PROGRAM ? 2 : 4
  const step = 4 * groups
  const fullEnd = scope.local('i32')
  const count = scope.local('i32')
  const inside = [scope.local('v128'), scope.local('v128')] as const
  const tail: Block = { groups: 2, count, inside: (group) => get(inside[group]!) }
  const loops = [
    set(fullEnd, i32.add(get(index), i32.and(i32.sub(get(rowEnd), get(index)), i32.const(-step)))),
    loopWhile(i32.less(get(index), get(fullEnd)), [
      ...(usesLanes ? [setLanes(emission)] : []),
      ...body({ groups }),
      ...advance((bytes) => i32.const(step * bytes)),
    ]),
    loopWhile(i32.less(get(index), get(rowEnd)), [
      setLanes(emission),
      ...inside.map((local, group) => set(local, i32x4.lessSigned(groupLanes(emission, group), i32x4.splat(get(rowEnd))))),
      set(count, smaller(i32.sub(get(rowEnd), get(index)), i32.const(8))),
      ...body(tail),
      ...advance((bytes) => i32.mul(get(count), i32.const(bytes))),
    ]),
  ]
  return { needed, streams, loops }
}

/** Computes a row of sort keys, goes back to the row's start, and leaves the ranks in the row that the instruction reads. */
function createRankPass(emission: Emission, sources: readonly (Source | undefined)[], position: number): { pass: Pass; sink: Sink; run: readonly Statement[] } {
  const instruction = emission.program.instructions[position]!
  const sink = sortKeySink(emission, 'a' in instruction ? instruction.a : 0)
  const pass = createPass(emission, sources, [sink])
  const { index, rowLength } = emission
  const back = (local: Local<'i32'>, elementBytes: number): Statement =>
    set(local, i32.sub(get(local), i32.mul(get(rowLength), i32.const(elementBytes))))
  const word = (offset: number): ReturnType<typeof wordArgument> => wordArgument(emission, offset)
  return {
    pass, sink,
    run: [
      ...pass.loops,
      ...pass.streams.map(({ pointer, elementBytes }) => back(pointer, elementBytes)),
      back(index, 1),
      call(0, [
        word(argument.sortKeys), get(rowLength), word(argument.instruction(position)),
        word(argument.sortPairs), word(argument.sortOtherPairs),
      ]),
    ],
  }
}
