import { needsWholeRows, type Program, type ProgramOutput } from '@mk/tensor/runtime'
import {
  defineFunction,
  encodeModule,
  type FunctionCode,
  get,
  i32,
  loopWhile,
  set,
  type Statement,
} from '@mk/wasm-encoder'
import { keptByRank } from './analyze-program.ts'
import { type CallFacts, noFacts } from './call-facts.ts'
import { createEmission, type Emission, wordArgument } from './emission.ts'
import { histogramSink } from './histogram.ts'
import { argument } from './layout.ts'
import { locateSink } from './locate.ts'
import { createKeepPass, createPass, createRankPass } from './pass.ts'
import { keepFunction } from './rank/keep-function.ts'
import { rankFunction } from './rank/rank.ts'
import { columnSink, reduceSink } from './reduce.ts'
import { increase, type Sink, smaller } from './sink.ts'
import { compute, sourceOf } from './source.ts'
import { storeSink } from './store.ts'

/**
 * Generates the WebAssembly module of a program: `run(frame)` reads its arguments as layout.ts says.
 * @param facts of the calls that it is for; absent: any
 */
export function generateModule(program: Program, memoryPages: number, facts = noFacts): Uint8Array<ArrayBuffer> {
  const usesRank = needsWholeRows(program)
  const keeps = keptByRank(program).length > 0
  return encodeModule(memoryPages, [
    ...(usesRank ? [rankFunction()] : []),
    ...(keeps ? [keepFunction()] : []),
    kernelFunction(program, facts),
  ])
}

const kernelFunction = (program: Program, facts: CallFacts): FunctionCode =>
  defineFunction(['i32'], (scope, [frame]) => {
    const emission = createEmission(program, facts, { scope, frame })
    const { analysis, elementCount, index, rowEnd, rowLength } = emission
    const sources = program.instructions.map((instruction, position) => sourceOf(emission, instruction, position))
    const sinks = program.outputs.map((output, position) => createSink(emission, output, position))
    const main = createPass(emission, sources, sinks)
    const rankPasses = [
      ...analysis.ranks.map((position) => createRankPass(emission, sources, position)),
      ...analysis.keeps.map((keep) => createKeepPass(emission, sources, keep)),
    ]
    const all = [main, ...rankPasses.map(({ pass }) => pass)]
    const streams = [...new Set(all.flatMap((pass) => pass.streams))]
    const parts = [...sinks, ...rankPasses.map(({ sink }) => sink)]
    const needed = [...new Set(all.flatMap((pass) => pass.needed))].sort((a, b) => a - b)
    const atLevel = (level: 'call' | 'row'): readonly Statement[] =>
      needed
        .filter((position) => analysis.levels[position] === level)
        .flatMap((position) => compute(emission, sources, position, 1))

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
      loopWhile(i32.lt_u(get(index), get(elementCount)), [
        set(rowLength, smaller(get(left), i32.sub(get(elementCount), get(index)))),
        set(rowEnd, i32.add(get(index), get(rowLength))),
        ...streams.flatMap(({ pointer, elementBytes, rowStart }) =>
          rowStart === undefined
            ? []
            : [set(pointer, i32.add(get(rowStart), i32.mul(get(column), i32.const(elementBytes))))],
        ),
        ...atLevel('row'),
        ...sinks.flatMap((sink) => sink.atRow),
        ...rankPasses.flatMap(({ run }) => run),
        ...main.loops,
        ...unread.map(({ pointer, elementBytes }) =>
          increase(pointer, i32.mul(get(rowLength), i32.const(elementBytes))),
        ),
        ...sinks.flatMap((sink) => sink.atRowEnd),
        set(column, i32.const(0)),
        set(left, wordArgument(emission, argument.columns)),
      ]),
      ...end,
    ]
  })

function createSink(emission: Emission, output: ProgramOutput, position: number): Sink {
  switch (output.kind) {
    case 'store':
      return storeSink(emission, output, position)
    case 'reduce':
      return output.per === 'column' ? columnSink(emission, output, position) : reduceSink(emission, output, position)
    case 'histogram':
      return histogramSink(emission, output, position)
    case 'locate':
      return locateSink(emission, output, position)
    default:
      return output satisfies never
  }
}
