import type { ProgramOutput } from '@mk/tensor/runtime'
import { get, i32, i32x4, set, type Statement, v128, type Vector, when } from '@mk/wasm-encoder'
import { type Emission, wordArgument } from './emission.ts'
import { enqueue } from './histogram.ts'
import { argument } from './layout.ts'
import { sumOfLanes } from './reduce.ts'
import { bitmask, type Block, emptySink, groupsOf, type Sink } from './sink.ts'

/**
 * Lists values within windows, which few are as a rule: comparisons of whole vectors tell, without a jump per element. An odd number of all
 * bounds is above what is in a window.
 */
export function collectSink(
  emission: Emission,
  output: Extract<ProgramOutput, { kind: 'collect' }>,
  index: number,
): Sink {
  const { program, scope } = emission
  const { value: position } = output
  const start = scope.local('i32')
  const listEnd = scope.local('i32')
  const hits = scope.local('i32')
  const windows = output.windows.map(() => ({
    lo: scope.local('v128'),
    hi: scope.local('v128'),
    below: scope.local('v128'),
  }))
  const isAbsolute = program.instructions[position]?.op === 'abs'
  const countAt = 8 * windows.length
  const list = i32.add(get(start), i32.const(countAt + 4 + 4 * windows.length))

  /** By group; a block has four at most. */
  const patterns = [0, 1, 2, 3].map(() => scope.local('v128'))
  const odd = patterns.map(() => scope.local('v128'))
  const under = scope.local('v128')

  // What is counted is counted group by group, so that it needn't be kept.
  const each = (block: Block): readonly Statement[] => {
    const groups = groupsOf(block)
    const ofGroup = (group: number): readonly Statement[] => {
      const value = emission.value(position, group)
      const pattern = get(patterns[group]!)
      // Where there is no element, nothing is below anything.
      const isBelow = (bound: Vector): Vector => {
        const mask = i32x4.lt_s(pattern, bound)
        return block.inside === undefined ? mask : v128.and(mask, block.inside(group))
      }
      return [
        set(patterns[group]!, isAbsolute ? value : v128.and(value, i32x4.const(0x7fffffff))),
        ...windows.flatMap(({ lo, hi, below }, window) => {
          const within = v128.xor(get(under), isBelow(get(hi)))
          return [
            set(under, isBelow(get(lo))),
            set(below, i32x4.sub(get(below), get(under))),
            set(odd[group]!, window === 0 ? within : v128.xor(get(odd[group]!), within)),
          ]
        }),
      ]
    }
    return [
      ...groups.flatMap(ofGroup),
      set(hits, bitmask(groups.map((group) => get(odd[group]!)))),
      when(
        get(hits),
        groups.flatMap((group) => enqueue(get(patterns[group]!), group, hits, listEnd)),
      ),
    ]
  }

  return {
    ...emptySink,
    uses: position,
    atStart: [
      set(start, wordArgument(emission, argument.output(program, index))),
      set(listEnd, list),
      ...windows.flatMap(({ lo, hi, below }, window) => [
        set(lo, i32x4.splat(i32.load(get(start), 8 * window))),
        set(hi, i32x4.splat(i32.load(get(start), 8 * window + 4))),
        set(below, i32x4.const(0)),
      ]),
    ],
    each,
    atEnd: [
      i32.store(get(start), i32.shr_u(i32.sub(get(listEnd), list), i32.const(2)), countAt),
      ...windows.map(({ below }, window) => i32.store(get(start), sumOfLanes(below), countAt + 4 + 4 * window)),
    ],
  }
}
