import {
  type Code,
  type FunctionScope,
  get,
  i16x8,
  i32,
  i32x4,
  i8x16,
  type Local,
  loopWhile,
  repeat,
  set,
  type Statement,
  v128,
  type Vector,
} from '@mk/wasm-encoder'
import { COMPRESS_HALVES_TABLE, SORT_COUNTS } from '../layout.ts'
import { sumOfLanes } from '../reduce.ts'
import { increase } from '../sink.ts'
import { wordAt } from './settle-order.ts'

/** A row that `keepRow` has written, and where. */
export interface WrittenRow {
  readonly keys: Local<'i32'>
  readonly words: Local<'i32'>
  /** Words of the offset of a counter and, above it, how many elements before were counted there. */
  readonly bins: Local<'i32'>
  readonly masks: Local<'i32'>
  readonly count: Local<'i32'>
  readonly list: Local<'i32'>
}

/** Compares what was drawn with the limit of a rank. */
export type IsKept = (word: Vector, rank: Vector) => Vector

/** Counts the elements, and writes for each how many were there before. */
export function countElements(scope: FunctionScope, { bins, count }: WrittenRow): readonly Statement[] {
  const [pointer, counter, before] = [scope.local('i32'), scope.local('i32'), scope.local('i32')]
  const end = wordAt(bins, get(count))
  return [
    set(pointer, get(bins)),
    repeat(
      [
        set(counter, i32.load16_u(get(pointer))),
        set(before, i32.load16_u(get(counter), SORT_COUNTS)),
        i32.store16(get(pointer), get(before), 2),
        i32.store16(get(counter), i32.add(get(before), i32.const(1)), SORT_COUNTS),
        increase(pointer, i32.const(4)),
      ],
      i32.lt_u(get(pointer), end),
    ),
  ]
}

/** Decides the listed elements for which the counts are enough, four at a time, and leaves the others at the start of the list. */
export function decideByBounds(
  scope: FunctionScope,
  { words, bins, masks, count, list }: WrittenRow,
  { end, left, isKept }: { readonly end: Local<'i32'>; readonly left: Local<'i32'>; readonly isKept: IsKept },
): readonly Statement[] {
  const lanes = [0, 1, 2, 3] as const
  const indices = lanes.map(() => scope.local('i32'))
  const [at, open] = [scope.local('i32'), scope.local('i32')]
  const [four, bin, counts, word, own, low, kept, differ] = [
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
  ]
  const gather = (addressOf: (lane: number) => Code<'i32'>, offset = 0): Vector =>
    lanes
      .slice(1)
      .reduce(
        (gathered, lane) => v128.load32_lane(addressOf(lane), gathered, lane, offset),
        v128.load32_zero(addressOf(0), offset),
      )
  const wordOf = (array: Local<'i32'>) => (lane: number) => wordAt(array, get(indices[lane]!))
  const high = i32x4.sub(i32x4.shr_u(get(counts), i32.const(16)), i32x4.const(1))
  return [
    // What fills up the last four: an element past the row, of which nothing is asked.
    i32.store(wordAt(bins, get(count)), i32.const(0)),
    ...[0, 4].map((offset) => i32.store(get(end), i32.mul(get(count), i32.const(0x10001)), offset)),
    set(at, get(list)),
    set(left, get(list)),
    loopWhile(i32.lt_u(get(at), get(end)), [
      set(four, v128.load64_zero(get(at))),
      ...lanes.map((lane) => set(indices[lane]!, i32.load16_u(get(at), 2 * lane))),
      set(bin, gather(wordOf(bins))),
      set(
        counts,
        gather((lane) => i32.load16_u(wordOf(bins)(lane)), SORT_COUNTS),
      ),
      set(word, gather(wordOf(words))),
      // Of an even counter all elements are equal, and their order is that in which they were counted.
      set(own, i32x4.eq(v128.and(get(bin), i32x4.const(2)), i32x4.const(0))),
      set(
        low,
        i32x4.add(v128.and(get(counts), i32x4.const(0xffff)), v128.and(i32x4.shr_u(get(bin), i32.const(16)), get(own))),
      ),
      set(kept, isKept(get(word), get(low))),
      set(differ, v128.andnot(v128.xor(get(kept), isKept(get(word), high)), get(own))),
      ...lanes.map((lane) =>
        v128.store16_lane(i32.add(get(masks), i32.shl(get(indices[lane]!), i32.const(1))), get(kept), 2 * lane),
      ),
      set(open, i32.shl(i16x8.bitmask(i16x8.narrow_i32x4_s(get(differ), i32x4.const(0))), i32.const(4))),
      v128.store64_lane(get(left), i8x16.swizzle(get(four), v128.load(get(open), COMPRESS_HALVES_TABLE)), 0),
      increase(left, i32.shl(i32.popcnt(get(open)), i32.const(1))),
      increase(at, i32.const(8)),
    ]),
  ]
}

/** Decides the elements from the start of the list on by counting, for each, those of the row that are before it. */
export function decideByCounting(
  scope: FunctionScope,
  { keys, words, masks, count, list }: WrittenRow,
  { left, isKept }: { readonly left: Local<'i32'>; readonly isKept: IsKept },
): readonly Statement[] {
  const [at, index, pointer, to] = [scope.local('i32'), scope.local('i32'), scope.local('i32'), scope.local('i32')]
  const [key, larger, smaller, lane] = [
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
    scope.local('v128'),
  ]
  const BLOCK = 16
  const offsets = [0, 16, 32, 48]
  const subtract = (from: Local<'v128'>, mask: Vector): Statement => set(from, i32x4.sub(get(from), mask))
  const blockStart = i32.and(get(index), i32.const(-BLOCK))
  const overBlocks = (each: (four: Vector) => Statement): Statement =>
    loopWhile(i32.lt_u(get(pointer), get(to)), [
      ...offsets.map((offset) => each(v128.load(get(pointer), offset))),
      increase(pointer, i32.const(4 * BLOCK)),
    ])
  const rank = i32.add(i32.sub(blockStart, sumOfLanes(larger)), sumOfLanes(smaller))
  return [
    // What fills up the last block is larger than any.
    ...offsets.map((offset) => v128.store(wordAt(keys, get(count)), i32x4.const(0x7fffffff), offset)),
    set(at, get(list)),
    loopWhile(i32.lt_u(get(at), get(left)), [
      set(index, i32.load16_u(get(at))),
      set(key, v128.load32_splat(wordAt(keys, get(index)))),
      set(larger, i32x4.const(0)),
      set(smaller, i32x4.const(0)),
      set(pointer, get(keys)),
      set(to, wordAt(keys, blockStart)),
      overBlocks((four) => subtract(larger, i32x4.gt_s(four, get(key)))),
      set(lane, i32x4.splat(i32.and(get(index), i32.const(BLOCK - 1)))),
      ...offsets.map((offset) => {
        const four = v128.load(get(pointer), offset)
        const numbers = i32x4.add(i32x4.const(0, 1, 2, 3), i32x4.const(offset / 4))
        const equalBefore = v128.and(i32x4.eq(four, get(key)), i32x4.lt_s(numbers, get(lane)))
        return subtract(smaller, v128.or(i32x4.lt_s(four, get(key)), equalBefore))
      }),
      increase(pointer, i32.const(4 * BLOCK)),
      set(to, wordAt(keys, get(count))),
      overBlocks((four) => subtract(smaller, i32x4.lt_s(four, get(key)))),
      v128.store16_lane(
        i32.add(get(masks), i32.shl(get(index), i32.const(1))),
        isKept(v128.load32_zero(wordAt(words, get(index))), i32x4.splat(rank)),
        0,
      ),
      increase(at, i32.const(2)),
    ]),
  ]
}

/** Decides all elements by their ranks. */
export function decideByRanks(
  scope: FunctionScope,
  {
    words,
    masks,
    count,
    ranks,
    isKept,
  }: Pick<WrittenRow, 'words' | 'masks' | 'count'> & { readonly ranks: Local<'i32'>; readonly isKept: IsKept },
): readonly Statement[] {
  const [index, mask] = [scope.local('i32'), scope.local('v128')]
  return [
    set(index, i32.const(0)),
    loopWhile(i32.lt_u(get(index), get(count)), [
      set(mask, isKept(v128.load(wordAt(words, get(index))), v128.load(wordAt(ranks, get(index))))),
      v128.store64_lane(
        i32.add(get(masks), i32.shl(get(index), i32.const(1))),
        i16x8.narrow_i32x4_s(get(mask), get(mask)),
        0,
      ),
      increase(index, i32.const(4)),
    ]),
  ]
}
