import { type ProgramOutput, reducers } from '@mk/tensor/runtime'
import {
  type Code,
  f32x4,
  f64,
  f64x2,
  get,
  i32,
  i32x4,
  type Local,
  select,
  set,
  type Statement,
  v128,
  type Vector,
  when,
} from '@mk/wasm-encoder'
import { type Limit, limitsOf } from './call-facts.ts'
import { upperPair } from './codec.ts'
import { type Emission, wordArgument } from './emission.ts'
import { argument, bufferedSums, sumBufferAt } from './layout.ts'
import { plainMask } from './operate.ts'
import { bitmask, type Block, emptySink, groupsOf, increase, type Sink, type SumBuffer } from './sink.ts'

type Reduce = Extract<ProgramOutput, { kind: 'reduce' }>

/** The elements of a group as float32; where the block ends before, what changes no result. */
function reducedLanes(
  { analysis, value }: Emission,
  { reduce, value: position }: Reduce,
  { inside }: Block,
  group: number,
): Vector {
  const raw = value(position, group)
  const lanes = analysis.isMask[position] ? v128.and(raw, f32x4.const(1)) : raw
  if (inside === undefined) return lanes
  return reduce === 'sum' || reduce === 'quickSum'
    ? v128.and(lanes, inside(group))
    : v128.bitselect(lanes, f32x4.const(reducers[reduce].empty), inside(group))
}

/** Reduces per tensor or per row. */
export function reduceSink(emission: Emission, output: Reduce, index: number): Sink {
  const { program, scope, analysis } = emission
  const result = scope.local('i32')
  const limits = emission.facts.within ? limitsOf(program, output.value) : undefined
  const accumulator =
    limits !== undefined
      ? withinLimits(emission, limits)
      : output.reduce === 'quickSum'
        ? quickSumOf(emission, output)
        : output.reduce !== 'sum'
          ? extremeOf(emission, output, output.reduce)
          : analysis.isMask[output.value]
            ? countOf(emission, output)
            : sumOf(emission, output, index)
  const byRow = output.per === 'row'
  const store = (): readonly Statement[] => [f64.store(get(result), accumulator.total())]
  return {
    ...emptySink,
    uses: output.value,
    atStart: [
      set(result, wordArgument(emission, argument.output(program, index))),
      ...(byRow ? [] : accumulator.clear),
    ],
    atRow: byRow ? accumulator.clear : [],
    each: accumulator.each,
    buffer: accumulator.buffer,
    atQuickEnd: accumulator.atQuickEnd ?? [],
    atRowEnd: byRow
      ? [...store(), increase(result, i32.const(8))]
      : analysis.byRow
        ? accumulator.rotate(get(emission.rowLength))
        : [],
    atEnd: byRow
      ? []
      : [
          ...(accumulator.atQuickEnd ?? []),
          ...(analysis.byRow ? accumulator.rotate(i32.sub(i32.const(0), get(emission.index))) : []),
          ...store(),
        ],
  }
}

interface Accumulator {
  readonly clear: readonly Statement[]
  each(block: Block): readonly Statement[]
  readonly buffer?: SumBuffer
  /** After each QUICK_VALUES groups, and at the end. */
  readonly atQuickEnd?: readonly Statement[]
  /** After a row that is no multiple of four long, its next element belongs to another lane. */
  rotate(by: Code<'i32'>): readonly Statement[]
  total(): Code<'f64'>
}

/** The float64 of lanes 0 and 1, and those of lanes 2 and 3. */
const widen = (lanes: Vector): readonly [Vector, Vector] => [
  f64x2.promote_low_f32x4(lanes),
  f64x2.promote_low_f32x4(upperPair(lanes)),
]

/** Lanes 0 and 1 in one accumulator, 2 and 3 in the other; the order of the additions is that of the definition. */
function sumOf(emission: Emission, output: Reduce, index: number): Accumulator {
  const { scope, spill, summed, program } = emission
  const low = scope.local('v128')
  const high = scope.local('v128')
  const lanes = scope.local('v128')
  const places: readonly Local<'v128'>[] = [low, high]
  const place = bufferedSums(program).indexOf(index)
  const bufferAt = sumBufferAt(place)
  const addPairs = ([first, second]: readonly [Vector, Vector]): readonly Statement[] => [
    set(low, f64x2.add(get(low), first)),
    set(high, f64x2.add(get(high), second)),
  ]
  return {
    clear: places.map((local) => set(local, f64x2.const(0))),
    each: (block) =>
      groupsOf(block).flatMap((group) => {
        const values = reducedLanes(emission, output, block, group)
        return place >= 0 && block.inside === undefined
          ? [v128.store(i32.add(get(spill), get(summed)), values, bufferAt + 16 * group)]
          : [set(lanes, values), ...addPairs(widen(get(lanes)))]
      }),
    ...(place >= 0 && {
      buffer: {
        add(at, group) {
          const half = (offset: number): Vector =>
            f64x2.promote_low_f32x4(v128.load64_zero(at, bufferAt + 16 * group + offset))
          return addPairs([half(0), half(8)])
        },
      },
    }),
    rotate: (by) => [
      when(i32.and(by, i32.const(3)), [
        ...[low, high, low, high].map((local, pair) => v128.store(get(spill), get(local), 16 * pair)),
        ...places.map((local, pair) =>
          set(local, v128.load(i32.add(get(spill), i32.shl(i32.and(by, i32.const(3)), i32.const(3))), 16 * pair)),
        ),
      ]),
    ],
    total: () => {
      const sum = f64x2.add(get(low), get(high))
      return f64.add(f64x2.extract_lane(sum, 0), f64x2.extract_lane(sum, 1))
    },
  }
}

/** The same, but that the values of a few groups are added up before they are widened. */
function quickSumOf(emission: Emission, output: Reduce): Accumulator {
  const { scope } = emission
  const low = scope.local('v128')
  const high = scope.local('v128')
  const few = scope.local('v128')
  const flush = [
    set(low, f64x2.add(get(low), f64x2.promote_low_f32x4(get(few)))),
    set(high, f64x2.add(get(high), f64x2.promote_low_f32x4(upperPair(get(few))))),
    set(few, f32x4.const(0)),
  ]
  return {
    clear: [set(low, f64x2.const(0)), set(high, f64x2.const(0)), set(few, f32x4.const(0))],
    each: (block) =>
      groupsOf(block).map((group) => set(few, f32x4.add(get(few), reducedLanes(emission, output, block, group)))),
    atQuickEnd: flush,
    rotate: () => [],
    total: () => {
      const sum = f64x2.add(get(low), get(high))
      return f64.add(f64x2.extract_lane(sum, 0), f64x2.extract_lane(sum, 1))
    },
  }
}

function countOf(emission: Emission, output: Reduce): Accumulator {
  const { scope, value } = emission
  const count = scope.local('v128')
  // Of all elements, those of the opposite mask are as many less.
  const plain = plainMask(emission, output.value)
  const isRest = plain.isOpposite && output.per === 'tensor'
  const counted = isRest ? plain.mask : output.value
  return {
    clear: [set(count, i32x4.const(0))],
    each: ({ groups, inside }) =>
      groupsOf({ groups }).map((group) => {
        const mask = value(counted, group)
        return set(count, i32x4.sub(get(count), inside === undefined ? mask : v128.and(mask, inside(group))))
      }),
    rotate: () => [],
    total: () => f64.convert_i32_s(isRest ? i32.sub(get(emission.elementCount), sumOfLanes(count)) : sumOfLanes(count)),
  }
}

/** All elements where no magnitude is past its limit, else -1: whether one is, the largest tells, and NaN is larger than any. */
function withinLimits({ scope, value, elementCount }: Emission, limits: readonly Limit[]): Accumulator {
  const largest = limits.map(() => scope.local('v128'))
  return {
    clear: largest.map((local) => set(local, i32x4.const(0))),
    each: (block) =>
      groupsOf(block).flatMap((group) =>
        limits.map(({ magnitude }, limit) => {
          const lanes = value(magnitude, group)
          const inside = block.inside === undefined ? lanes : v128.and(lanes, block.inside(group))
          return set(largest[limit]!, i32x4.max_s(get(largest[limit]!), inside))
        }),
      ),
    rotate: () => [],
    total: () => {
      const masks = limits.map(({ scalar }, limit) => f32x4.le(get(largest[limit]!), value(scalar, 0)))
      const all = masks.reduce((a, b) => v128.and(a, b))
      return f64.convert_i32_s(select(i32.const(-1), get(elementCount), i32.xor(bitmask([all, all]), i32.const(0xff))))
    },
  }
}

function extremeOf(emission: Emission, output: Reduce, reduce: 'min' | 'max'): Accumulator {
  const extreme = emission.scope.local('v128')
  // The bits of magnitudes are in the order of the magnitudes, NaN last, and it takes one instruction to compare them.
  const isMagnitude = reduce === 'max' && emission.program.instructions[output.value]!.op === 'abs'
  const join = isMagnitude ? i32x4.max_s : f32x4[reduce]
  return {
    clear: [set(extreme, f32x4.const(reducers[reduce].empty))],
    each: (block) =>
      groupsOf(block).map((group) => set(extreme, join(get(extreme), reducedLanes(emission, output, block, group)))),
    rotate: () => [],
    total: () =>
      [0, 1, 2, 3]
        .map((lane) => f64.promote_f32(f32x4.extract_lane(get(extreme), lane)))
        .reduce((a, b) => f64[reduce](a, b)),
  }
}

/** Adds up four integers. */
export const sumOfLanes = (local: Local<'v128'>): Code<'i32'> =>
  [0, 1, 2, 3].map((lane) => i32x4.extract_lane(get(local), lane)).reduce(i32.add)

/** Reduces per column, with one float64 for each in memory. The caller has set them to the result for no elements. */
export function columnSink(emission: Emission, output: Reduce, index: number): Sink {
  const { program, scope } = emission
  const pointer = scope.local('i32')
  const rowStart = scope.local('i32')
  const lanes = scope.local('v128')
  const join = output.reduce === 'min' || output.reduce === 'max' ? f64x2[output.reduce] : f64x2.add
  return {
    ...emptySink,
    uses: output.value,
    streams: [{ pointer, elementBytes: 8, rowStart }],
    atStart: [set(rowStart, wordArgument(emission, argument.output(program, index)))],
    each: (block) =>
      groupsOf(block).flatMap((group) => [
        set(lanes, reducedLanes(emission, output, block, group)),
        ...[get(lanes), upperPair(get(lanes))].map((pair, half) => {
          const offset = 32 * group + 16 * half
          return v128.store(get(pointer), join(v128.load(get(pointer), offset), f64x2.promote_low_f32x4(pair)), offset)
        }),
      ]),
  }
}
