import { type FunctionScope, get, i32, type Local, memory, set, type Statement } from '@mk/wasm-encoder'
import { SORT_COUNTS } from '../layout.ts'
import { countsToPlaces, type SortParameters, unrolled } from './radix-sort.ts'
import { settleOrder, wordAt } from './settle-order.ts'

const DIGIT_BITS = 11
const TABLE_BYTES = 4 << DIGIT_BITS
const LOWER = { table: SORT_COUNTS, lowestBit: 10 }
const UPPER = { table: SORT_COUNTS + TABLE_BYTES, lowestBit: 21 }
/** The upper digit and the index share a word. */
const INDEX_MASK = 2 ** UPPER.lowestBit - 1
export const MOST_INDICES = 2 ** UPPER.lowestBit

/**
 * Ranks by the leading 22 bits of the keys, in two passes over words of the upper digit and the index. The last pass writes
 * the ranks, compares neighbors by their whole keys, and moves those back that are out of order. Few are, unless most
 * values of the row are nearly alike: then it gives up. Sets `done` to whether it did not.
 */
export function sortByLeadingBits(
  scope: FunctionScope,
  parameters: SortParameters,
  done: Local<'i32'>,
): readonly Statement[] {
  const { keys, count, pairs, others } = parameters
  const [key, word, counter, place, index, pointer] = [
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
  ]
  const findCounter = (value: Local<'i32'>, { lowestBit }: typeof LOWER): Statement =>
    set(counter, i32.and(i32.shr_u(get(value), i32.const(lowestBit - 2)), i32.const(TABLE_BYTES - 4)))
  const countDigit = (digit: typeof LOWER): readonly Statement[] => [
    findCounter(key, digit),
    i32.store(get(counter), i32.add(i32.load(get(counter), digit.table), i32.const(1)), digit.table),
  ]
  const takePlace = (value: Local<'i32'>, digit: typeof LOWER): readonly Statement[] => [
    findCounter(value, digit),
    set(place, i32.load(get(counter), digit.table)),
    i32.store(get(counter), i32.add(get(place), i32.const(1)), digit.table),
  ]
  const overAll = (
    from: Local<'i32'>,
    into: Local<'i32'>,
    each: (step: number) => readonly Statement[],
  ): readonly Statement[] =>
    unrolled({ pointer, index, count }, from, 4, (step) => [set(into, i32.load(get(pointer), 4 * step)), ...each(step)])

  return [
    memory.fill(i32.const(SORT_COUNTS), i32.const(0), i32.const(2 * TABLE_BYTES)),
    ...overAll(keys, key, () => [...countDigit(LOWER), ...countDigit(UPPER)]),
    ...countsToPlaces(scope, LOWER.table, i32.const(TABLE_BYTES)),
    ...countsToPlaces(scope, UPPER.table, i32.const(TABLE_BYTES)),
    ...overAll(keys, key, (step) => [
      ...takePlace(key, LOWER),
      i32.store(
        wordAt(pairs, get(place)),
        i32.or(i32.and(get(key), i32.const(~INDEX_MASK)), i32.add(get(index), i32.const(step))),
      ),
    ]),
    ...overAll(pairs, word, () => [
      ...takePlace(word, UPPER),
      i32.store(wordAt(others, get(place)), i32.and(get(word), i32.const(INDEX_MASK)), 4),
    ]),
    ...settleOrder(scope, parameters, others, done),
  ]
}
