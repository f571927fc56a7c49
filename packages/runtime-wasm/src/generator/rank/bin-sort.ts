import {
  type Code,
  type FunctionScope,
  get,
  i32,
  i32x4,
  type Local,
  memory,
  repeat,
  set,
  type Statement,
  v128,
  type Vector,
  when,
} from '@mk/wasm-encoder'
import { MOST_BIN_BITS, SORT_COUNTS } from '../layout.ts'
import { countsToPlaces, type SortParameters, TABLE_STEP, unrolled } from './radix-sort.ts'
import { wordAt } from './settle-order.ts'
import { settlePairs, storePair } from './settle-pairs.ts'
import { increase, larger, smaller } from '../sink.ts'

/** Keys further below the largest share the first bin with zero: of magnitudes, those less than 2^-16 of the largest. */
const WIDEST = 2 ** 28

/**
 * Ranks by one pass over bins, about twice as many as keys, that divide the range of the row's own keys. Fast where the keys of
 * a bin are few or equal: others are moved to where they belong. Sets `done` to whether they were few enough.
 */
export function binSort(scope: FunctionScope, parameters: SortParameters, done: Local<'i32'>): readonly Statement[] {
  // A bin is read where the rank is written in its place.
  const { keys, count, ranks: bins, pairs } = parameters
  const [index, pointer, target, end, counter, place] = [
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
  ]
  const [lowest, start, largest, shift, tableBytes] = [
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
  ]
  const [least, greatest, four] = [scope.local('v128'), scope.local('v128'), scope.local('v128')]
  const raise = (local: Local<'i32'>, value: Code<'i32'>): Statement => set(local, larger(value, get(local)))
  const limit = (local: Local<'i32'>, value: Code<'i32'>): Statement => set(local, smaller(value, get(local)))
  const lanes = (local: Local<'v128'>): readonly Code<'i32'>[] =>
    [0, 1, 2, 3].map((lane) => i32x4.extract_lane(get(local), lane))
  const binOf = (four: Vector): Vector =>
    i32x4.shr_u(i32x4.sub(i32x4.max_u(four, get(least)), get(greatest)), get(shift))

  return [
    // Zeros past the row, which change nothing.
    v128.store(wordAt(keys, get(count)), i32x4.const(0)),
    set(end, wordAt(keys, get(count))),
    set(least, i32x4.const(-1)),
    set(greatest, i32x4.const(0)),
    set(pointer, get(keys)),
    repeat(
      [
        set(four, v128.load(get(pointer))),
        set(least, i32x4.min_u(get(least), i32x4.sub(get(four), i32x4.const(1)))),
        set(greatest, i32x4.max_u(get(greatest), get(four))),
        increase(pointer, i32.const(16)),
      ],
      i32.lt_u(get(pointer), get(end)),
    ),
    set(largest, i32.const(0)),
    ...lanes(greatest).map((lane) => raise(largest, lane)),
    // One less than the least but zero, or the largest, if all are zero.
    set(lowest, get(largest)),
    ...lanes(least).map((lane) => limit(lowest, lane)),
    when(i32.lt_u(i32.const(WIDEST), get(largest)), [raise(lowest, i32.sub(get(largest), i32.const(WIDEST)))]),

    set(shift, i32.clz(get(count))),
    raise(shift, i32.const(32 - MOST_BIN_BITS)),
    set(shift, i32.sub(get(shift), i32.clz(i32.sub(get(largest), get(lowest))))),
    // The range has fewer bits than there are bins for.
    when(i32.lt_u(i32.const(31), get(shift)), [set(shift, i32.const(0))]),
    // The first bin ends at the lowest.
    set(start, i32.sub(i32.add(get(lowest), i32.const(1)), i32.shl(i32.const(1), get(shift)))),
    set(tableBytes, i32.shl(i32.shr_u(i32.sub(get(largest), get(start)), get(shift)), i32.const(2))),
    set(tableBytes, i32.and(i32.add(get(tableBytes), i32.const(TABLE_STEP)), i32.const(-TABLE_STEP))),
    memory.fill(i32.const(SORT_COUNTS), i32.const(0), get(tableBytes)),

    set(least, i32x4.splat(get(lowest))),
    set(greatest, i32x4.splat(get(start))),
    set(pointer, get(keys)),
    set(target, get(bins)),
    repeat(
      [
        v128.store(get(target), i32x4.shl(binOf(v128.load(get(pointer))), i32.const(2))),
        increase(pointer, i32.const(16)),
        increase(target, i32.const(16)),
      ],
      i32.lt_u(get(pointer), get(end)),
    ),
    ...unrolled({ pointer, index, count }, bins, 4, (step) => [
      set(counter, i32.load(get(pointer), 4 * step)),
      i32.store(get(counter), i32.add(i32.load(get(counter), SORT_COUNTS), i32.const(1)), SORT_COUNTS),
    ]),
    ...countsToPlaces(scope, SORT_COUNTS, get(tableBytes)),
    set(target, i32.sub(get(keys), get(bins))),
    ...unrolled({ pointer, index, count }, bins, 4, (step) => [
      set(counter, i32.load(get(pointer), 4 * step)),
      set(place, i32.load(get(counter), SORT_COUNTS)),
      i32.store(get(counter), i32.add(get(place), i32.const(1)), SORT_COUNTS),
      i32.store(get(pointer), get(place), 4 * step),
      storePair(pairs, place, {
        key: i32.load(i32.add(get(pointer), get(target)), 4 * step),
        rank: i32.add(get(pointer), i32.const(4 * step)),
      }),
    ]),
    ...settlePairs(scope, parameters, done),
  ]
}
