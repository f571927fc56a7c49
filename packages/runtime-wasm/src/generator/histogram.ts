import type { ProgramOutput } from '@mk/tensor/runtime'
import {
  type Code,
  type FunctionScope,
  get,
  i32,
  i32x4,
  i8x16,
  type Local,
  loopWhile,
  memory,
  repeat,
  set,
  type Statement,
  v128,
  type Vector,
  when,
} from '@mk/wasm-encoder'
import { type Emission, wordArgument } from './emission.ts'
import { argument, COMPRESS_TABLE, histogramCopies, histogramQueue, histogramStride, QUEUE_LIMIT } from './layout.ts'
import { sumOfLanes } from './reduce.ts'
import { bitmask, type Block, emptySink, groupsOf, increase, type Sink } from './sink.ts'

/**
 * Counts values in bins. What is outside the bins, which is nearly everything as a rule, is told by comparisons of whole vectors. What is inside
 * goes to a queue without a jump per element, and is counted from there.
 */
export function histogramSink(
  emission: Emission,
  output: Extract<ProgramOutput, { kind: 'histogram' }>,
  index: number,
): Sink {
  const { program, scope } = emission
  const { bins: binCount, value: position } = output
  const bins = scope.local('i32')
  const shift = scope.local('i32')
  const lo = scope.local('v128')
  const last = scope.local('v128')
  const below = scope.local('v128')
  const hits = scope.local('i32')
  const queueEnd = scope.local('i32')
  const inside = scope.local('i32')
  const stride = histogramStride(binCount)
  const copies = histogramCopies(binCount)
  const queue = i32.add(get(bins), i32.const(histogramQueue(binCount)))
  const queued = i32.shr_u(i32.sub(get(queueEnd), queue), i32.const(2))
  const word = (place: number): Code<'i32'> => wordArgument(emission, argument.output(program, index) + 4 * place)
  const isAbsolute = program.instructions[position]?.op === 'abs'
  const drain = drainQueue(emission, { bins, shift, lo, queue, queueEnd }, stride, copies)

  const each = (block: Block): readonly Statement[] =>
    emission.withTemporaries((keep) => {
      const patterns = groupsOf(block).map((group) => {
        const value = emission.value(position, group)
        return isAbsolute ? value : keep(v128.and(value, i32x4.const(0x7fffffff)))
      })
      const under = patterns.map((pattern) => keep(i32x4.lt_s(pattern, get(lo))))
      const within = (group: number, mask: Vector): Vector =>
        block.inside === undefined ? mask : v128.and(mask, block.inside(group))
      const outside = patterns.map((pattern, group) => {
        const either = v128.or(under[group]!, i32x4.gt_s(pattern, get(last)))
        return block.inside === undefined ? either : v128.or(either, v128.not(block.inside(group)))
      })
      return [
        ...under.map((mask, group) => set(below, i32x4.sub(get(below), within(group, mask)))),
        set(hits, i32.xor(bitmask(outside), i32.const((1 << (4 * block.groups)) - 1))),
        when(get(hits), [
          ...patterns.flatMap((pattern, group) => enqueue(pattern, group, hits, queueEnd)),
          when(i32.lt_u(i32.add(queue, i32.const(4 * QUEUE_LIMIT)), get(queueEnd)), [
            increase(inside, queued),
            ...drain,
            set(inside, i32.sub(get(inside), queued)),
          ]),
        ]),
      ]
    })

  return {
    ...emptySink,
    uses: position,
    atStart: [
      set(bins, word(0)),
      set(lo, i32x4.splat(word(1))),
      set(shift, word(2)),
      set(last, i32x4.splat(word(3))),
      set(below, i32x4.const(0)),
      set(inside, i32.const(0)),
      set(queueEnd, queue),
      memory.fill(get(bins), i32.const(0), i32.const(copies * stride)),
    ],
    each,
    atEnd: [
      increase(inside, queued),
      // Filled up with what falls into the bin past the last.
      v128.store(get(queueEnd), i32x4.add(get(last), i32x4.const(1))),
      increase(queueEnd, i32.const(12)),
      ...drain,
      ...(copies > 1 ? addCopies(scope, bins, stride, copies) : []),
      i32.store(get(bins), sumOfLanes(below), 4 * binCount),
      i32.store(
        get(bins),
        i32.sub(get(emission.elementCount), i32.add(sumOfLanes(below), get(inside))),
        4 * binCount + 4,
      ),
    ],
  }
}

/** Appends the lanes of a group whose bits in `hits` are set. */
export function enqueue(
  pattern: Vector,
  group: number,
  hits: Local<'i32'>,
  queueEnd: Local<'i32'>,
): readonly Statement[] {
  // Four bits of the mask, times the sixteen bytes of an entry.
  const entry =
    group === 0
      ? i32.shl(i32.and(get(hits), i32.const(15)), i32.const(4))
      : i32.and(i32.shr_u(get(hits), i32.const(4 * (group - 1))), i32.const(0xf0))
  return [
    v128.store(get(queueEnd), i8x16.swizzle(pattern, v128.load(entry, COMPRESS_TABLE))),
    increase(queueEnd, i32.shl(i32.popcnt(entry), i32.const(2))),
  ]
}

interface Queue {
  readonly bins: Local<'i32'>
  readonly shift: Local<'i32'>
  readonly lo: Local<'v128'>
  readonly queue: Code<'i32'>
  readonly queueEnd: Local<'i32'>
}

/** Counts what is in the queue, by fours; up to three stay. */
function drainQueue(
  { scope, spill }: Emission,
  { bins, shift, lo, queue, queueEnd }: Queue,
  stride: number,
  copies: number,
): readonly Statement[] {
  const pointer = scope.local('i32')
  const slot = scope.local('i32')
  const wholeEnd = scope.local('i32')
  const countLane = (lane: number): readonly Statement[] => {
    const offset = (lane % copies) * stride
    return [
      set(slot, i32.load(get(spill), 4 * lane)),
      i32.store(get(slot), i32.add(i32.load(get(slot), offset), i32.const(1)), offset),
    ]
  }
  const bin = i32x4.shr_u(i32x4.sub(v128.load(get(pointer)), get(lo)), get(shift))
  return [
    set(pointer, queue),
    set(wholeEnd, i32.add(queue, i32.and(i32.sub(get(queueEnd), queue), i32.const(-16)))),
    loopWhile(i32.lt_u(get(pointer), get(wholeEnd)), [
      v128.store(get(spill), i32x4.add(i32x4.shl(bin, i32.const(2)), i32x4.splat(get(bins)))),
      ...[0, 1, 2, 3].flatMap(countLane),
      increase(pointer, i32.const(16)),
    ]),
    v128.store(queue, v128.load(get(wholeEnd))),
    set(queueEnd, i32.add(queue, i32.sub(get(queueEnd), get(wholeEnd)))),
  ]
}

/** Adds the copies of the bins up in the first. */
function addCopies(scope: FunctionScope, bins: Local<'i32'>, stride: number, copies: number): readonly Statement[] {
  const pointer = scope.local('i32')
  const counts = Array.from({ length: copies }, (_, copy) => v128.load(get(pointer), copy * stride))
  return [
    set(pointer, get(bins)),
    repeat(
      [v128.store(get(pointer), counts.reduce(i32x4.add)), increase(pointer, i32.const(16))],
      i32.lt_u(get(pointer), i32.add(get(bins), i32.const(stride))),
    ),
  ]
}
