import type { ProgramOutput } from '@mk/tensor'
import { type Code, get, loopWhile, repeat, set, type Statement, when } from '../encoder/code.ts'
import { i32, memory } from '../encoder/scalar.ts'
import { i32x4, v128, type Vector } from '../encoder/simd.ts'
import { type Emission, wordArgument } from './emission.ts'
import { argument, HISTOGRAM_COPIES, histogramStride } from './layout.ts'
import { sumOfLanes } from './reduce.ts'
import { bitmask, type Block, emptySink, groupsOf, increase, type Sink } from './sink.ts'

/** From so many elements inside the bins out of 8, counting them all without a jump each is faster. */
const DENSE_OF_8 = 2

/**
 * What is outside the bins is told by comparisons of whole vectors; usually that is nearly everything. What is inside is
 * counted one by one.
 */
export function histogramSink(emission: Emission, output: Extract<ProgramOutput, { kind: 'histogram' }>, index: number): Sink {
  const { program, scope, spill } = emission
  const bins = scope.local('i32')
  const hits = scope.local('i32')
  const slot = scope.local('i32')
  const shift = scope.local('i32')
  const lo = scope.local('v128')
  const last = scope.local('v128')
  const below = scope.local('v128')
  const stride = histogramStride(output.bins)
  const word = (place: number): Code<'i32'> => wordArgument(emission, argument.output(program, index) + 4 * place)
  const isAbsolute = program.instructions[output.value]?.op === 'abs'

  const countAt = (address: Code<'i32'>, offset: number): readonly Statement[] => [
    set(slot, address),
    i32.store(get(slot), i32.add(i32.load(get(slot), offset), i32.const(1)), offset),
  ]
  const countAll = (groups: number): readonly Statement[] =>
    Array.from({ length: 4 * groups }, (_, lane) => countAt(i32.load(get(spill), 4 * lane), (lane % HISTOGRAM_COPIES) * stride)).flat()
  const countHits: readonly Statement[] = [repeat([
    ...countAt(i32.load(i32.add(get(spill), i32.shiftLeft(i32.countTrailingZeros(get(hits)), i32.const(2)))), 0),
    set(hits, i32.and(get(hits), i32.sub(get(hits), i32.const(1)))),
  ], get(hits))]

  const each = (block: Block): readonly Statement[] => emission.withTemporaries((keep) => {
    const groups = groupsOf(block)
    const patterns = groups.map((group) => {
      const value = emission.value(output.value, group)
      return isAbsolute ? value : keep(v128.and(value, i32x4.const(0x7fffffff)))
    })
    const under = patterns.map((pattern) => keep(i32x4.lessSigned(pattern, get(lo))))
    const outside = patterns.map((pattern, group) => {
      const either = v128.or(under[group]!, i32x4.greaterSigned(pattern, get(last)))
      return keep(block.inside === undefined ? either : v128.or(either, v128.not(block.inside(group))))
    })
    const slotOf = (group: number): Vector => {
      const bin = i32x4.shiftRight(i32x4.sub(patterns[group]!, get(lo)), get(shift))
      const bounded = i32x4.minUnsigned(v128.or(bin, outside[group]!), i32x4.const(output.bins))
      return i32x4.add(i32x4.shiftLeft(bounded, i32.const(2)), i32x4.splat(get(bins)))
    }
    return [
      ...groups.map((group) => {
        const counted = block.inside === undefined ? under[group]! : v128.and(under[group]!, block.inside(group))
        return set(below, i32x4.sub(get(below), counted))
      }),
      set(hits, i32.xor(bitmask(outside), i32.const((1 << (4 * block.groups)) - 1))),
      when(get(hits), [
        ...groups.map((group) => v128.store(get(spill), slotOf(group), 16 * group)),
        when(i32.less(i32.countOnes(get(hits)), i32.const((DENSE_OF_8 * block.groups) / 2)), countHits, countAll(block.groups)),
      ]),
    ]
  })

  return {
    ...emptySink,
    uses: output.value,
    atStart: [
      set(bins, word(0)),
      set(lo, i32x4.splat(word(1))),
      set(shift, word(2)),
      set(last, i32x4.splat(word(3))),
      set(below, i32x4.const(0)),
      memory.fill(get(bins), i32.const(0), i32.const(HISTOGRAM_COPIES * stride)),
    ],
    each,
    atEnd: combineCopies(emission, output.bins, bins, below),
  }
}

/** Adds the copies up in the first, followed by the count below the bins and that past them. */
function combineCopies(
  { scope, elementCount }: Emission, binCount: number, bins: ReturnType<typeof scope.local<'i32'>>, below: ReturnType<typeof scope.local<'v128'>>,
): readonly Statement[] {
  const stride = histogramStride(binCount)
  const pointer = scope.local('i32')
  const inside = scope.local('v128')
  const sum = scope.local('v128')
  const copies = Array.from({ length: HISTOGRAM_COPIES }, (_, copy) => copy * stride)
  return [
    ...copies.map((offset) => i32.store(get(bins), i32.const(0), offset + 4 * binCount)),
    set(pointer, get(bins)),
    set(inside, i32x4.const(0)),
    loopWhile(i32.less(get(pointer), i32.add(get(bins), i32.const(stride))), [
      set(sum, copies.map((offset) => v128.load(get(pointer), offset)).reduce(i32x4.add)),
      v128.store(get(pointer), get(sum)),
      set(inside, i32x4.add(get(inside), get(sum))),
      increase(pointer, i32.const(16)),
    ]),
    i32.store(get(bins), sumOfLanes(below), 4 * binCount),
    i32.store(get(bins), i32.sub(get(elementCount), i32.add(sumOfLanes(below), sumOfLanes(inside))), 4 * binCount + 4),
  ]
}
