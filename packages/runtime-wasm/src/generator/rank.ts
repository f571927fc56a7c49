import { type Code, get, type Local, repeat, set, type Statement, when } from '../encoder/code.ts'
import { defineFunction, type FunctionCode, type FunctionScope } from '../encoder/module.ts'
import { f32, i32, i64, memory } from '../encoder/scalar.ts'
import { f32x4, i32x4, v128 } from '../encoder/simd.ts'
import { type Emission, wordArgument } from './emission.ts'
import { argument } from './layout.ts'
import { emptySink, increase, type Sink } from './sink.ts'

/** Rows shorter than this are sorted by digits of 8 bits, others by digits of 11: fewer passes, more to clear. */
const LONG_ROW = 2048


/** Writes unsigned integers that sort as `rank` defines: NaN last, −0 as 0. */
export function sortKeySink(emission: Emission, operand: number): Sink {
  const pointer = emission.scope.local('i32')
  const rowStart = emission.scope.local('i32')
  return {
    ...emptySink,
    uses: operand,
    streams: [{ pointer, elementBytes: 4, rowStart }],
    atStart: [set(rowStart, wordArgument(emission, argument.sortKeys))],
    each: ({ groups }) => Array.from({ length: groups }, (_, group) => emission.withTemporaries((keep) => {
      const value = emission.value(operand, group)
      const bits = keep(f32x4.add(value, f32x4.const(0)))
      const flipped = v128.xor(bits, v128.or(i32x4.shiftRightSigned(bits, i32.const(31)), i32x4.const(0x80000000)))
      return [v128.store(get(pointer), v128.or(flipped, f32x4.ne(value, value)), 16 * group)]
    })).flat(),
  }
}

/** (keys, count, ranks, pairs, other pairs, counts): writes each key's place in ascending order as float32; stable. */
export const rankFunction: FunctionCode = defineFunction(
  ['i32', 'i32', 'i32', 'i32', 'i32', 'i32'],
  (scope, keys, count, ranks, pairs, others, counts) => {
    const pair = scope.local('i64')
    const pointer = scope.local('i32')
    const end = scope.local('i32')
    const sort = (digitBits: number): readonly Statement[] => radixSort(scope, digitBits, { keys, count, pairs, others, counts, pair, pointer, end })
    return [
      when(get(count), [
        when(i32.less(get(count), i32.const(LONG_ROW)), sort(8), sort(11)),
        set(pointer, i32.const(0)),
        repeat([
          set(pair, i64.load(i32.add(get(pairs), i32.shiftLeft(get(pointer), i32.const(3))))),
          f32.store(
            i32.add(get(ranks), i32.shiftLeft(i32.fromI64(i64.shiftRight(get(pair), i64.const(32n))), i32.const(2))),
            f32.fromI32Unsigned(get(pointer)),
          ),
          increase(pointer, i32.const(1)),
        ], i32.less(get(pointer), get(count))),
      ]),
    ]
  },
)

interface SortLocals {
  readonly keys: Local<'i32'>
  readonly count: Local<'i32'>
  readonly pairs: Local<'i32'>
  readonly others: Local<'i32'>
  readonly counts: Local<'i32'>
  readonly pair: Local<'i64'>
  readonly pointer: Local<'i32'>
  readonly end: Local<'i32'>
}

/** Least significant digit first, over pairs of a key and, above it, its index; digits that all keys share are skipped. */
function radixSort(scope: FunctionScope, digitBits: number, locals: SortLocals): readonly Statement[] {
  const { keys, count, pairs, others, counts, pair, pointer, end } = locals
  const key = scope.local('i32')
  const at = scope.local('i32')
  const total = scope.local('i32')
  const next = scope.local('i32')
  const index = scope.local('i32')
  const tableBytes = 4 << digitBits
  const passes = Array.from({ length: Math.ceil(32 / digitBits) }, (_, pass) => pass)
  /** Address of the counter of the key's digit. */
  const counter = (pass: number): Code<'i32'> => {
    const digit = i32.and(i32.shiftRight(get(key), i32.const(pass * digitBits)), i32.const((1 << digitBits) - 1))
    return i32.add(i32.add(get(counts), i32.const(pass * tableBytes)), i32.shiftLeft(digit, i32.const(2)))
  }
  const digitsCounted = [
    memory.fill(get(counts), i32.const(0), i32.const(passes.length * tableBytes)),
    set(index, i32.const(0)),
    repeat([
      set(key, i32.load(i32.add(get(keys), i32.shiftLeft(get(index), i32.const(2))))),
      i64.store(
        i32.add(get(pairs), i32.shiftLeft(get(index), i32.const(3))),
        i64.or(i64.fromI32(get(key)), i64.shiftLeft(i64.fromI32(get(index)), i64.const(32n))),
      ),
      ...passes.flatMap((pass) => [set(at, counter(pass)), i32.store(get(at), i32.add(i32.load(get(at)), i32.const(1)))]),
      increase(index, i32.const(1)),
    ], i32.less(get(index), get(count))),
  ]
  const sortedBy = (pass: number): Statement => when(i32.ne(i32.load(counter(pass)), get(count)), [
    set(total, i32.const(0)),
    set(at, i32.add(get(counts), i32.const(pass * tableBytes))),
    set(end, i32.add(get(at), i32.const(tableBytes))),
    repeat([
      set(next, i32.load(get(at))),
      i32.store(get(at), get(total)),
      set(total, i32.add(get(total), get(next))),
      increase(at, i32.const(4)),
    ], i32.less(get(at), get(end))),
    set(pointer, get(pairs)),
    set(end, i32.add(get(pairs), i32.shiftLeft(get(count), i32.const(3)))),
    repeat([
      set(pair, i64.load(get(pointer))),
      set(key, i32.fromI64(get(pair))),
      set(at, counter(pass)),
      set(next, i32.load(get(at))),
      i32.store(get(at), i32.add(get(next), i32.const(1))),
      i64.store(i32.add(get(others), i32.shiftLeft(get(next), i32.const(3))), get(pair)),
      increase(pointer, i32.const(8)),
    ], i32.less(get(pointer), get(end))),
    set(next, get(pairs)),
    set(pairs, get(others)),
    set(others, get(next)),
  ])
  return [...digitsCounted, ...passes.map(sortedBy)]
}

