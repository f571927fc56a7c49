import { defineFunction, f32x4, type FunctionCode, get, i32, i32x4, set, v128, when } from '@mk/wasm-encoder'
import { binSort } from './bin-sort.ts'
import { type Emission, wordArgument } from '../emission.ts'
import { MOST_INDICES, sortByLeadingBits } from './leading-bits.ts'
import { argument } from '../layout.ts'
import { radixSort } from './radix-sort.ts'
import { emptySink, type Sink } from '../sink.ts'

/** Where bins don't do, shorter rows are sorted by digits of 8 bits, others by digits of 11: fewer passes, more counters. */
const LONG_ROW = 1024

/** Writes unsigned integers that sort as `rank` defines: NaN last, −0 as 0. */
export function sortKeySink(emission: Emission, operand: number): Sink {
  const pointer = emission.scope.local('i32')
  const rowStart = emission.scope.local('i32')
  const isAbsolute = emission.program.instructions[operand]?.op === 'abs'
  return {
    ...emptySink,
    uses: operand,
    streams: [{ pointer, elementBytes: 4, rowStart }],
    atStart: [set(rowStart, wordArgument(emission, argument.sortKeys))],
    each: ({ groups }) =>
      Array.from({ length: groups }, (_, group) =>
        emission.withTemporaries((keep) => {
          const value = emission.value(operand, group)
          const bits = keep(f32x4.add(value, f32x4.const(0)))
          // Without a sign the leading bits tell more values apart.
          const sortable = isAbsolute
            ? i32x4.shl(bits, i32.const(1))
            : v128.xor(bits, v128.or(i32x4.shr_s(bits, i32.const(31)), i32x4.const(0x80000000)))
          return [v128.store(get(pointer), v128.or(sortable, f32x4.ne(value, value)), 16 * group)]
        }),
      ).flat(),
  }
}

/** Generates the function (keys, count, ranks, pairs, other pairs) that writes each key's place in ascending order as an integer; stable. */
export const rankFunction = (): FunctionCode =>
  defineFunction(['i32', 'i32', 'i32', 'i32', 'i32'], (scope, [keys, count, ranks, pairs, others]) => {
    const parameters = { keys, count, ranks, pairs, others }
    const done = scope.local('i32')
    return [
      ...binSort(scope, parameters, done),
      when(i32.eqz(get(done)), [
        when(i32.lt_u(get(count), i32.const(LONG_ROW)), radixSort(scope, 8, parameters), [
          when(i32.lt_u(get(count), i32.const(MOST_INDICES)), sortByLeadingBits(scope, parameters, done)),
          when(i32.eqz(get(done)), radixSort(scope, 11, parameters)),
        ]),
      ]),
    ]
  })
