import {
  call,
  type Code,
  defineFunction,
  f32x4,
  type FunctionCode,
  get,
  i32,
  i32x4,
  type Local,
  loopWhile,
  memory,
  repeat,
  select,
  set,
  type Statement,
  v128,
  type Vector,
  when,
} from '@mk/wasm-encoder'
import { argument, RANK_FUNCTION, SORT_COUNTS } from '../layout.ts'
import { increase, larger } from '../sink.ts'
import { uniformOf } from '../uniform.ts'
import { countElements, decideByBounds, decideByCounting, decideByRanks, type IsKept } from './decide.ts'
import { LARGEST_LIMIT, windowAt } from './keep-layout.ts'
import { countsToPlaces, TABLE_STEP } from './radix-sort.ts'
import { wordAt } from './settle-order.ts'

/** Of shorter rows the counters take longer than ranks do; of longer ones they are too small. */
const FEWEST_COLUMNS = 512
const MOST_COLUMNS = 0xffff
/** Elements whose ranks are counted one by one, where that is faster than to rank all. */
const MOST_COUNTED = 24
/** Places of an octave. */
const OCTAVE = 256
/** Octaves below the largest magnitude that are looked at in a row of which nothing is known. */
const OCTAVES = 24
/** One of so many elements may be below the counters, and one above them, where they are chosen; a few times as many later. */
const OUTSIDE_BITS = 7
const TOO_MANY_OUTSIDE_BITS = 4
/** Counters past those that were needed. */
const SLACK = 32

/** Gives a place so far below another one, or the first. */
const lowered = (place: Code<'i32'>, by: number): Code<'i32'> =>
  select(i32.sub(place, i32.const(by)), i32.const(1), i32.lt_u(i32.const(by), place))

/**
 * Generates the function (frame, address of a mask's arguments, count, ranks, end of the list, from, step) that finishes a row of masks
 * `lt(uniform, add(from, mul(rank, step)))` that `keepRow` has begun. Of each listed element it bounds the rank by counts of what is smaller;
 * where the mask isn't the same for both bounds, it counts exactly. Where the counters don't fit the row it chooses others and asks to begin again.
 */
export const keepFunction = (): FunctionCode =>
  defineFunction(['i32', 'i32', 'i32', 'i32', 'i32', 'f32', 'f32'], (scope, parameters) => {
    const [frame, place, count, ranks, end, from, step] = parameters
    const local = (): Local<'i32'> => scope.local('i32')
    const vector = (): Local<'v128'> => scope.local('v128')
    const [keys, words, bins, masks, list] = [local(), local(), local(), local(), local()]
    const [first, counters, isNew, rankAll, left] = [local(), local(), local(), local(), local()]
    const [base, slope] = [vector(), vector()]
    const limitOf = (rank: Vector): Vector => f32x4.add(get(base), f32x4.mul(rank, get(slope)))
    const isKept: IsKept = (word, rank) => f32x4.lt(uniformOf(word), limitOf(f32x4.convert_i32x4_s(rank)))
    const row = { keys, words, bins, masks, count, list }

    const pointer = local()
    const greatest = vector()
    const largest = local()
    const lastPlace = i32.shr_u(get(largest), i32.const(15))
    const chooseWidely: readonly Statement[] = [
      set(greatest, i32x4.const(0)),
      set(pointer, get(keys)),
      repeat(
        [set(greatest, i32x4.max_s(get(greatest), v128.load(get(pointer)))), increase(pointer, i32.const(16))],
        i32.lt_u(get(pointer), wordAt(keys, i32.and(get(count), i32.const(-4)))),
      ),
      set(largest, i32.const(0)),
      ...[0, 1, 2, 3].map((lane) => set(largest, larger(i32x4.extract_lane(get(greatest), lane), get(largest)))),
      // Odd, so that the places of numbers that have one of their own become even.
      set(first, i32.or(lowered(lastPlace, OCTAVES * OCTAVE), i32.const(1))),
      set(counters, i32.and(i32.sub(i32.add(lastPlace, i32.const(4)), get(first)), i32.const(-2))),
      i32.store(get(place), get(first), windowAt.first),
      i32.store(get(place), get(counters), windowAt.count),
      i32.store(get(place), i32.const(1), windowAt.again),
    ]

    const countAt = (counter: Code<'i32'>): Code<'i32'> => i32.load16_u(i32.shl(counter, i32.const(1)), SORT_COUNTS)
    const [low, high, middle, zeros] = [local(), local(), local(), local()]
    /** Sets `low` to the first counter that more than so many elements are below. */
    const find = (elements: Code<'i32'>): readonly Statement[] => [
      set(low, i32.const(1)),
      set(high, i32.add(get(counters), i32.const(2))),
      loopWhile(i32.lt_u(get(low), get(high)), [
        set(middle, i32.shr_u(i32.add(get(low), get(high)), i32.const(1))),
        when(
          i32.lt_u(elements, countAt(get(middle))),
          [set(high, get(middle))],
          [set(low, i32.add(get(middle), i32.const(1)))],
        ),
      ]),
    ]
    const few = i32.shr_u(get(count), i32.const(OUTSIDE_BITS))
    const newFirst = local()
    const chooseByCounts: readonly Statement[] = [
      ...find(i32.add(get(zeros), few)),
      set(newFirst, i32.add(get(first), get(low))),
      set(newFirst, i32.or(lowered(get(newFirst), SLACK), i32.const(1))),
      ...find(i32.sub(get(count), i32.add(few, i32.const(1)))),
      set(low, i32.add(i32.add(get(first), get(low)), i32.const(SLACK))),
      // Where hardly anything isn't 0, the upper end may be below the lower one.
      set(high, i32.add(get(newFirst), i32.const(SLACK))),
      set(high, larger(get(low), get(high))),
      i32.store(get(place), get(newFirst), windowAt.first),
      i32.store(get(place), i32.and(i32.sub(get(high), get(newFirst)), i32.const(-2)), windowAt.count),
    ]
    const outside = i32.add(
      i32.sub(countAt(i32.const(2)), get(zeros)),
      i32.sub(get(count), countAt(i32.add(get(counters), i32.const(1)))),
    )
    const keepWindow: readonly Statement[] = [
      set(zeros, countAt(i32.const(1))),
      when(get(isNew), chooseByCounts),
      when(i32.lt_u(i32.shr_u(get(count), i32.const(TOO_MANY_OUTSIDE_BITS)), outside), [
        i32.store(get(place), i32.const(0), windowAt.count),
      ]),
    ]

    const tableBytes = i32.and(
      i32.add(i32.shl(get(counters), i32.const(1)), i32.const(TABLE_STEP + 6)),
      i32.const(-TABLE_STEP),
    )
    const limitsAreFractions = [i32.const(0), i32.sub(get(count), i32.const(1))]
      .map((rank) => f32x4.le(limitOf(f32x4.convert_i32x4_s(i32x4.splat(rank))), f32x4.const(LARGEST_LIMIT)))
      .reduce(v128.and)
    const isUsual = [
      i32.lt_u(i32.const(FEWEST_COLUMNS - 1), get(count)),
      i32.lt_u(get(count), i32.const(MOST_COLUMNS + 1)),
      i32x4.extract_lane(limitsAreFractions, 0),
    ].reduce(i32.and)

    return [
      set(keys, i32.load(get(frame), argument.sortKeys)),
      set(words, i32.load(get(frame), argument.drawnWords)),
      set(bins, i32.load(get(frame), argument.bins)),
      set(list, i32.load(get(frame), argument.undecided)),
      set(masks, i32.load(get(place))),
      set(first, i32.load(get(place), windowAt.first)),
      set(counters, i32.load(get(place), windowAt.count)),
      set(isNew, i32.load(get(place), windowAt.again)),
      i32.store(get(place), i32.const(0), windowAt.again),
      set(base, f32x4.splat(get(from))),
      set(slope, f32x4.splat(get(step))),
      set(rankAll, i32.eqz(isUsual)),
      when(i32.eqz(get(rankAll)), [
        when(i32.eqz(get(counters)), chooseWidely, [
          memory.fill(i32.const(SORT_COUNTS), i32.const(0), tableBytes),
          ...countElements(scope, row),
          ...countsToPlaces(scope, SORT_COUNTS, tableBytes, 2),
          ...decideByBounds(scope, row, { end, left, isKept }),
          ...keepWindow,
          set(rankAll, i32.lt_u(wordAt(list, i32.const(MOST_COUNTED / 2)), get(left))),
          when(i32.eqz(get(rankAll)), decideByCounting(scope, row, { left, isKept })),
        ]),
      ]),
      when(get(rankAll), [
        call(RANK_FUNCTION, [
          get(keys),
          get(count),
          get(ranks),
          i32.load(get(frame), argument.sortPairs),
          i32.load(get(frame), argument.sortOtherPairs),
        ]),
        ...decideByRanks(scope, { ...row, ranks, isKept }),
      ]),
    ]
  })
