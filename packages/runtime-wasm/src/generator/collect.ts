import type { ProgramOutput } from '@mk/tensor/runtime'
import { get, i32, i32x4, set, type Statement, v128, type Vector, when } from '@mk/wasm-encoder'
import { type Emission, wordArgument } from './emission.ts'
import { enqueue } from './histogram.ts'
import { argument } from './layout.ts'
import { sumOfLanes } from './reduce.ts'
import { bitmask, type Block, emptySink, groupsOf, type Sink } from './sink.ts'

/** Lists values within a window, which few are as a rule: comparisons of whole vectors tell, without a jump per element. */
export function collectSink(
  emission: Emission,
  output: Extract<ProgramOutput, { kind: 'collect' }>,
  index: number,
): Sink {
  const { program, scope } = emission
  const { value: position } = output
  const result = scope.local('i32')
  const listEnd = scope.local('i32')
  const lo = scope.local('v128')
  const hi = scope.local('v128')
  const below = scope.local('v128')
  const hits = scope.local('i32')
  const at = argument.output(program, index)
  const isAbsolute = program.instructions[position]?.op === 'abs'
  const list = i32.add(get(result), i32.const(8))

  const each = ({ groups, inside }: Block): readonly Statement[] =>
    emission.withTemporaries((keep) => {
      const within = (group: number, mask: Vector): Vector =>
        inside === undefined ? mask : v128.and(mask, inside(group))
      const patterns = groupsOf({ groups }).map((group) => {
        const value = emission.value(position, group)
        return isAbsolute ? value : keep(v128.and(value, i32x4.const(0x7fffffff)))
      })
      const under = patterns.map((pattern, group) => keep(within(group, i32x4.lt_s(pattern, get(lo)))))
      const upTo = patterns.map((pattern, group) => within(group, i32x4.lt_s(pattern, get(hi))))
      return [
        ...under.map((mask) => set(below, i32x4.sub(get(below), mask))),
        set(hits, bitmask(upTo.map((mask, group) => v128.andnot(mask, under[group]!)))),
        when(
          get(hits),
          patterns.flatMap((pattern, group) => enqueue(pattern, group, hits, listEnd)),
        ),
      ]
    })

  return {
    ...emptySink,
    uses: position,
    atStart: [
      set(result, wordArgument(emission, at)),
      set(listEnd, list),
      set(lo, i32x4.splat(wordArgument(emission, at + 4))),
      set(hi, i32x4.splat(wordArgument(emission, at + 8))),
      set(below, i32x4.const(0)),
    ],
    each,
    atEnd: [
      i32.store(get(result), i32.shr_u(i32.sub(get(listEnd), list), i32.const(2))),
      i32.store(get(result), sumOfLanes(below), 4),
    ],
  }
}
