import {
  type Code,
  type FunctionScope,
  get,
  i16x8,
  i32,
  i32x4,
  i64,
  i8x16,
  type Local,
  loopWhile,
  memory,
  repeat,
  set,
  type Statement,
  v128,
  type Vector,
} from '@mk/wasm-encoder'
import { SORT_COUNTS } from '../layout.ts'
import { increase } from '../sink.ts'

export interface SortParameters {
  readonly keys: Local<'i32'>
  readonly count: Local<'i32'>
  readonly ranks: Local<'i32'>
  readonly pairs: Local<'i32'>
  readonly others: Local<'i32'>
}

/** Sorts by digits, the least significant first, over pairs of a key and, above it, its index; the last digit's places are the ranks. */
export function radixSort(
  scope: FunctionScope,
  digitBits: number,
  { keys, count, ranks, pairs, others }: SortParameters,
): readonly Statement[] {
  const tableBytes = 4 << digitBits
  const passes = Math.ceil(32 / digitBits)
  const [key, counter, index, place, pointer] = [
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
    scope.local('i32'),
  ]
  const pair = scope.local('i64')
  const table = (pass: number): number => SORT_COUNTS + pass * tableBytes
  /** Sets `counter` to where in its table the key's digit is counted. */
  const findCounter = (pass: number): Statement => {
    const from = pass * digitBits - 2
    const shifted = from < 0 ? i32.shl(get(key), i32.const(-from)) : i32.shr_u(get(key), i32.const(from))
    return set(counter, i32.and(shifted, i32.const(tableBytes - 4)))
  }
  /** Sets `place` to the next place of the key's digit. */
  const takePlace = (pass: number): readonly Statement[] => [
    findCounter(pass),
    set(place, i32.load(get(counter), table(pass))),
    i32.store(get(counter), i32.add(get(place), i32.const(1)), table(pass)),
  ]
  const countDigit = (pass: number): readonly Statement[] => [
    findCounter(pass),
    i32.store(get(counter), i32.add(i32.load(get(counter), table(pass)), i32.const(1)), table(pass)),
  ]
  const writePair = (to: Local<'i32'>): Statement =>
    i64.store(i32.add(get(to), i32.shl(get(place), i32.const(3))), get(pair))
  const writeRank = i32.store(
    i32.add(get(ranks), i32.shl(i32.wrap_i64(i64.shr_u(get(pair), i64.const(32))), i32.const(2))),
    get(place),
  )
  const overElements = (
    from: Local<'i32'>,
    elementBytes: number,
    each: (step: number) => readonly Statement[],
  ): readonly Statement[] => unrolled({ pointer, index, count }, from, elementBytes, each)
  const overKeys = (body: (step: number) => readonly Statement[]): readonly Statement[] =>
    overElements(keys, 4, (step) => [set(key, i32.load(get(pointer), 4 * step)), ...body(step)])
  const overPairs = (from: Local<'i32'>, body: readonly Statement[]): readonly Statement[] =>
    overElements(from, 8, (step) => [
      set(pair, i64.load(get(pointer), 8 * step)),
      set(key, i32.wrap_i64(get(pair))),
      ...body,
    ])
  const passNumbers = Array.from({ length: passes }, (_, pass) => pass)
  return [
    memory.fill(i32.const(SORT_COUNTS), i32.const(0), i32.const(passes * tableBytes)),
    ...overKeys(() => passNumbers.flatMap(countDigit)),
    ...passNumbers.flatMap((pass) => countsToPlaces(scope, table(pass), i32.const(tableBytes))),
    ...overKeys((step) => [
      ...takePlace(0),
      set(
        pair,
        i64.or(
          i64.extend_i32_u(get(key)),
          i64.shl(i64.extend_i32_u(i32.add(get(index), i32.const(step))), i64.const(32)),
        ),
      ),
      writePair(pairs),
    ]),
    ...passNumbers.slice(1).flatMap((pass) => {
      const [from, to] = pass % 2 === 1 ? [pairs, others] : [others, pairs]
      return overPairs(from, [...takePlace(pass), pass === passes - 1 ? writeRank : writePair(to)])
    }),
  ]
}

/** Tables of counts are multiples of so many bytes. */
export const TABLE_STEP = 64

/** Makes of each count, of 16 or of 32 bits, the sum of those before it. */
export function countsToPlaces(
  scope: FunctionScope,
  address: number,
  tableBytes: Code<'i32'>,
  countBytes: 2 | 4 = 4,
): readonly Statement[] {
  const { add, sub } = countBytes === 2 ? i16x8 : i32x4
  const pointer = scope.local('i32')
  const counts = scope.local('v128')
  const sums = scope.local('v128')
  const before = scope.local('v128')
  /** Lanes moved up, zeros moved in: consecutive bytes of the two, which processors have an instruction for. */
  const up = (lanes: number): Vector =>
    i8x16.shuffle(
      i32x4.const(0),
      get(sums),
      Array.from({ length: 16 }, (_, byte) => byte + 16 - countBytes * lanes),
    )
  const total = i8x16.shuffle(
    get(sums),
    get(sums),
    Array.from({ length: 16 }, (_, byte) => 16 - countBytes + (byte % countBytes)),
  )
  const step = (offset: number): readonly Statement[] => [
    set(counts, v128.load(get(pointer), address + offset)),
    set(sums, get(counts)),
    ...(countBytes === 2 ? [1, 2, 4] : [1, 2]).map((lanes) => set(sums, add(get(sums), up(lanes)))),
    v128.store(get(pointer), sub(add(get(sums), get(before)), get(counts)), address + offset),
    set(before, add(get(before), total)),
  ]
  return [
    set(pointer, i32.const(0)),
    set(before, i32x4.const(0)),
    repeat(
      [...[0, 16, 32, 48].flatMap(step), increase(pointer, i32.const(TABLE_STEP))],
      i32.lt_u(get(pointer), tableBytes),
    ),
  ]
}

const UNROLLED = 4

/** Generates a loop over all elements; `step` tells how many are between `pointer` and `index` and the element in question. */
export function unrolled(
  {
    pointer,
    index,
    count,
  }: { readonly pointer: Local<'i32'>; readonly index: Local<'i32'>; readonly count: Local<'i32'> },
  from: Local<'i32'>,
  elementBytes: number,
  each: (step: number) => readonly Statement[],
): readonly Statement[] {
  const round = (steps: number): readonly Statement[] => [
    ...Array.from({ length: steps }, (_, step) => each(step)).flat(),
    increase(pointer, i32.const(steps * elementBytes)),
    increase(index, i32.const(steps)),
  ]
  return [
    set(pointer, get(from)),
    set(index, i32.const(0)),
    loopWhile(i32.lt_u(get(index), i32.and(get(count), i32.const(-UNROLLED))), round(UNROLLED)),
    loopWhile(i32.lt_u(get(index), get(count)), round(1)),
  ]
}
