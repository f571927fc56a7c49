import { QUICK_VALUES } from '@mk/tensor/runtime'
import {
  call,
  type Code,
  f32x4,
  get,
  i32,
  i32x4,
  type Local,
  loopWhile,
  repeat,
  set,
  when,
  type Statement,
} from '@mk/wasm-encoder'
import { type KeptByRank, neededBy } from './analyze-program.ts'
import { type Emission, groupLanes, setLanes, wordArgument } from './emission.ts'
import { argument, BUFFERED_ELEMENTS, KEEP_FUNCTION, RANK_FUNCTION } from './layout.ts'
import { windowAt } from './rank/keep-layout.ts'
import { keepRow } from './rank/keep-row.ts'
import { sortKeySink } from './rank/rank.ts'
import { type Block, increase, type Sink, smaller, type Stream, type SumBuffer } from './sink.ts'
import { compute, type Source } from './source.ts'

/** Everything that is done to the elements from `index` to `rowEnd`. */
export interface Pass {
  readonly needed: readonly number[]
  readonly streams: readonly Stream[]
  readonly loops: readonly Statement[]
}

/** With more instructions per element, a second pair of groups only makes the code longer: one keeps the processor busy. */
const SHORT_PROGRAM = 10

/** Generates the loops of a pass: rounds of whole blocks, then one of what is left over. */
export function createPass(emission: Emission, sources: readonly (Source | undefined)[], sinks: readonly Sink[]): Pass {
  const { program, analysis, scope, index, rowEnd, summed } = emission
  const needed = neededBy(
    program,
    analysis,
    sinks.flatMap(({ uses, usesToo = [] }) => [uses, ...usesToo]),
  )
  const ofElement = needed.filter((position) => analysis.levels[position] === 'element')
  const streams = [
    ...ofElement.flatMap((position) => sources[position]?.stream ?? []),
    ...sinks.flatMap((sink) => sink.streams),
  ]
  const usesLanes = ofElement.some((position) => sources[position]?.usesLanes)
  const body = (block: Block): readonly Statement[] => [
    ...ofElement.flatMap((position) => compute(emission, sources, position, block.groups)),
    ...sinks.flatMap((sink) => sink.each(block)),
  ]
  const advance = (count: (elementBytes: number) => Code<'i32'>): readonly Statement[] => [
    ...streams.map(({ pointer, elementBytes }) => increase(pointer, count(elementBytes))),
    increase(index, count(1)),
  ]

  const groups = ofElement.length > SHORT_PROGRAM ? 2 : 4
  const step = 4 * groups
  const fullEnd = scope.local('i32')
  const count = scope.local('i32')
  const inside = [scope.local('v128'), scope.local('v128')] as const
  const tail: Block = { groups: 2, count, inside: (group) => get(inside[group]!) }
  const round = [
    ...(usesLanes ? [setLanes(emission)] : []),
    ...body({ groups }),
    ...advance((bytes) => i32.const(step * bytes)),
    ...(sinks.some(({ buffer }) => buffer) ? [increase(summed, i32.const(4 * step))] : []),
  ]
  const atQuickEnd = sinks.flatMap((sink) => sink.atQuickEnd)
  const buffers = sinks.flatMap((sink) => sink.buffer ?? [])
  const rounds = (end: Local<'i32'>) => loopWhile(i32.lt_u(get(index), get(end)), round)
  const blockElements = atQuickEnd.length > 0 ? 4 * QUICK_VALUES : BUFFERED_ELEMENTS
  const roundsByBlocks = (blockEnd: Local<'i32'>) =>
    loopWhile(i32.lt_u(get(index), get(fullEnd)), [
      set(blockEnd, smaller(i32.add(get(index), i32.const(blockElements)), get(fullEnd))),
      set(summed, i32.const(0)),
      rounds(blockEnd),
      ...(buffers.length > 0 ? addUp(emission, buffers) : []),
      ...(atQuickEnd.length > 0
        ? [when(i32.eqz(i32.and(get(index), i32.const(4 * QUICK_VALUES - 1))), atQuickEnd)]
        : []),
    ])
  const loops = [
    set(fullEnd, i32.add(get(index), i32.and(i32.sub(get(rowEnd), get(index)), i32.const(-step)))),
    atQuickEnd.length + buffers.length === 0 ? rounds(fullEnd) : roundsByBlocks(scope.local('i32')),
    loopWhile(i32.lt_u(get(index), get(rowEnd)), [
      setLanes(emission),
      ...inside.map((local, group) => set(local, i32x4.lt_s(groupLanes(emission, group), i32x4.splat(get(rowEnd))))),
      set(count, smaller(i32.sub(get(rowEnd), get(index)), i32.const(8))),
      ...body(tail),
      ...advance((bytes) => i32.mul(get(count), i32.const(bytes))),
    ]),
  ]
  return { needed, streams, loops }
}

/** Adds up what rounds have left in memory: nothing is written meanwhile, so that engines may widen what they load. */
function addUp({ scope, spill, summed }: Emission, buffers: readonly SumBuffer[]): readonly Statement[] {
  const at = scope.local('i32')
  const end = scope.local('i32')
  return [
    set(at, get(spill)),
    set(end, i32.add(get(spill), get(summed))),
    repeat(
      [
        ...[0, 1].flatMap((group) => buffers.flatMap((buffer) => buffer.add(get(at), group))),
        increase(at, i32.const(32)),
      ],
      i32.lt_u(get(at), get(end)),
    ),
  ]
}

/** What is done to a row before its elements are computed. */
export interface RowPass {
  readonly pass: Pass
  readonly sink: Sink
  readonly run: readonly Statement[]
}

/** Goes back to the start of a row. */
function backToStart({ index, rowLength }: Emission, { streams }: Pass): readonly Statement[] {
  const back = (local: Local<'i32'>, elementBytes: number): Statement =>
    set(local, i32.sub(get(local), i32.mul(get(rowLength), i32.const(elementBytes))))
  return [...streams.map(({ pointer, elementBytes }) => back(pointer, elementBytes)), back(index, 1)]
}

/** Computes a row of sort keys, goes back to the row's start, and leaves the ranks in the row that the instruction reads. */
export function createRankPass(
  emission: Emission,
  sources: readonly (Source | undefined)[],
  position: number,
): RowPass {
  const instruction = emission.program.instructions[position]!
  const sink = sortKeySink(emission, 'a' in instruction ? instruction.a : 0)
  const pass = createPass(emission, sources, [sink])
  const word = (offset: number): Code<'i32'> => wordArgument(emission, offset)
  return {
    pass,
    sink,
    run: [
      ...pass.loops,
      ...backToStart(emission, pass),
      call(RANK_FUNCTION, [
        word(argument.sortKeys),
        get(emission.rowLength),
        word(argument.instruction(position)),
        word(argument.sortPairs),
        word(argument.sortOtherPairs),
      ]),
    ],
  }
}

/** Leaves masks by rank in the row that their instruction reads. */
export function createKeepPass(
  emission: Emission,
  sources: readonly (Source | undefined)[],
  keep: KeptByRank,
): RowPass {
  const { sink, start, end } = keepRow(emission, keep)
  const pass = createPass(emission, sources, [sink])
  const { frame, rowLength, value } = emission
  const at = argument.instruction(keep.mask)
  return {
    pass,
    sink,
    run: [
      repeat(
        [
          ...start,
          ...pass.loops,
          ...backToStart(emission, pass),
          call(KEEP_FUNCTION, [
            get(frame),
            i32.add(get(frame), i32.const(at)),
            get(rowLength),
            wordArgument(emission, argument.instruction(keep.rank)),
            get(end),
            ...[keep.from, keep.step].map((position) => f32x4.extract_lane(value(position, 0), 0)),
          ]),
        ],
        wordArgument(emission, at + windowAt.again),
      ),
    ],
  }
}
