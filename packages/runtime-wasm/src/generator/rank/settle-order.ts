import {
  type Code,
  type FunctionScope,
  get,
  i32,
  type Local,
  loopWhile,
  set,
  type Statement,
  when,
} from '@mk/wasm-encoder'
import { type SortParameters, unrolled } from './radix-sort.ts'
import { increase } from '../sink.ts'

/** How many moves are still faster than another sort. */
export const MOVES_PER_ELEMENT = 4

/** Computes the address of a word in an array of them. */
export const wordAt = (base: Local<'i32'>, position: Code<'i32'>): Code<'i32'> =>
  i32.add(get(base), i32.shl(position, i32.const(2)))

/**
 * Takes the indices of keys that are nearly in order, from the second word of `indices` on, compares neighbors by their whole
 * keys, moves back what is out of order, and writes the ranks. With too many moves it gives up: sets `done` to whether it did not.
 */
export function settleOrder(
  scope: FunctionScope,
  { keys, count, ranks }: SortParameters,
  indices: Local<'i32'>,
  done: Local<'i32'>,
): readonly Statement[] {
  const [key, at, place, index, pointer] = [
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
  ]
  const [order, largest, moves, moved] = [
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
  ]
  const budget = i32.mul(get(count), i32.const(MOVES_PER_ELEMENT))
  const before = i32.load(wordAt(order, i32.sub(get(place), i32.const(1))))
  return [
    // The place before the first holds the index of a key that nothing is less than.
    i32.store(get(indices), get(count)),
    i32.store(wordAt(keys, get(count)), i32.const(0)),
    set(order, i32.add(get(indices), i32.const(4))),
    set(largest, i32.const(0)),
    set(moves, i32.const(0)),
    ...unrolled({ pointer, index, count }, order, 4, (step) => [
      set(at, i32.load(get(pointer), 4 * step)),
      set(key, i32.load(wordAt(keys, get(at)))),
      set(place, i32.add(i32.shr_u(i32.sub(get(pointer), get(order)), i32.const(2)), i32.const(step))),
      when(
        i32.lt_u(get(key), get(largest)),
        [
          loopWhile(i32.lt_u(get(key), i32.load(wordAt(keys, before))), [
            set(moved, before),
            i32.store(wordAt(order, get(place)), get(moved)),
            i32.store(wordAt(ranks, get(moved)), get(place)),
            set(place, i32.sub(get(place), i32.const(1))),
            increase(moves, i32.const(1)),
          ]),
          i32.store(wordAt(order, get(place)), get(at)),
          // Ends the loop after this round, to which the index doesn't matter.
          when(i32.lt_u(budget, get(moves)), [set(index, get(count))]),
        ],
        [set(largest, get(key))],
      ),
      i32.store(wordAt(ranks, get(at)), get(place)),
    ]),
    set(done, i32.eqz(i32.lt_u(budget, get(moves)))),
  ]
}
