import {
  type Code,
  type FunctionScope,
  get,
  i32,
  i64,
  i64x2,
  type Local,
  loopWhile,
  repeat,
  set,
  type Statement,
  v128,
  type Vector,
  when,
} from '@mk/wasm-encoder'
import type { SortParameters } from './radix-sort.ts'
import { MOVES_PER_ELEMENT } from './settle-order.ts'
import { increase } from '../sink.ts'

/** Pairs that are compared at once. */
const BLOCK = 8
const PAIR_BYTES = 8
const least = i64.shl(i64.const(-(2 ** 31)), i64.const(32))
const most = i64.shr_u(i64.const(-1), i64.const(1))

/** Computes the address of a pair, of which one stands before the first. */
const pairAt = (pairs: Local<'i32'>, position: Code<'i32'>): Code<'i32'> =>
  i32.add(get(pairs), i32.shl(position, i32.const(3)))

/** Writes a pair of a key and, below it, the address of its rank at a place: as signed integers pairs are in the order of keys, then of elements. */
export function storePair(
  pairs: Local<'i32'>,
  place: Local<'i32'>,
  { key, rank }: { readonly key: Code<'i32'>; readonly rank: Code<'i32'> },
): Statement {
  const upper = i64.shl(i64.extend_i32_u(i32.xor(key, i32.const(0x80000000))), i64.const(32))
  return i64.store(pairAt(pairs, get(place)), i64.or(upper, i64.extend_i32_u(rank)), PAIR_BYTES)
}

/**
 * Takes pairs that are nearly in order, whose places are the ranks, looks at eight at a time for one that is less than the one before it, and moves
 * it back. Where keys are equal, none is. With too many moves it gives up: sets `done` to whether it did not.
 */
export function settlePairs(
  scope: FunctionScope,
  { count, pairs }: Pick<SortParameters, 'count' | 'pairs'>,
  done: Local<'i32'>,
): readonly Statement[] {
  const [first, at, to, end, pointer] = [
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
  ]
  const moves = scope.local('i32')
  const [pair, moved] = [scope.local('i64'), scope.local('i64')]
  const before = (local: Local<'i32'>): Code<'i64'> => i64.load(i32.sub(get(local), i32.const(PAIR_BYTES)))
  const rankAs = (of: Local<'i64'>): Statement =>
    i32.store(i32.wrap_i64(get(of)), i32.shr_u(i32.sub(get(to), get(first)), i32.const(3)))
  const isOutOfOrder = Array.from({ length: BLOCK / 2 }, (_, two): Vector => {
    const offset = 16 * two
    const ahead = v128.load(i32.sub(get(pointer), i32.const(PAIR_BYTES)), offset)
    return i64x2.gt_s(ahead, v128.load(get(pointer), offset))
  }).reduce(v128.or)
  const budget = i32.mul(get(count), i32.const(MOVES_PER_ELEMENT))
  return [
    set(first, i32.add(get(pairs), i32.const(PAIR_BYTES))),
    i64.store(get(pairs), least),
    set(end, pairAt(first, get(count))),
    // What fills up the last block is never less.
    ...Array.from({ length: BLOCK - 1 }, (_, i) => i64.store(get(end), most, PAIR_BYTES * i)),
    set(moves, i32.const(0)),
    set(pointer, get(first)),
    repeat(
      [
        when(v128.any_true(isOutOfOrder), [
          set(at, get(pointer)),
          repeat(
            [
              set(pair, i64.load(get(at))),
              when(i64.lt_s(get(pair), before(at)), [
                set(to, get(at)),
                loopWhile(i64.lt_s(get(pair), before(to)), [
                  set(moved, before(to)),
                  i64.store(get(to), get(moved)),
                  rankAs(moved),
                  set(to, i32.sub(get(to), i32.const(PAIR_BYTES))),
                  increase(moves, i32.const(1)),
                ]),
                i64.store(get(to), get(pair)),
                rankAs(pair),
              ]),
              increase(at, i32.const(PAIR_BYTES)),
            ],
            i32.lt_u(get(at), i32.add(get(pointer), i32.const(BLOCK * PAIR_BYTES))),
          ),
          // Ends the loop.
          when(i32.lt_u(budget, get(moves)), [set(pointer, get(end))]),
        ]),
        increase(pointer, i32.const(BLOCK * PAIR_BYTES)),
      ],
      i32.lt_u(get(pointer), get(end)),
    ),
    set(done, i32.eqz(i32.lt_u(budget, get(moves)))),
  ]
}
