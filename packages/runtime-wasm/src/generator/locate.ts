import type { ProgramOutput } from '@mk/tensor/runtime'
import { get, i32, loopWhile, set, v128, when } from '@mk/wasm-encoder'
import { type Emission, wordArgument } from './emission.ts'
import { argument } from './layout.ts'
import { bitmask, emptySink, groupsOf, type Sink } from './sink.ts'

/** Finds the index in the call of the n-th true element, or −1. */
export function locateSink(
  emission: Emission,
  output: Extract<ProgramOutput, { kind: 'locate' }>,
  index: number,
): Sink {
  const { program, scope, value } = emission
  const at = argument.output(program, index)
  const left = scope.local('i32')
  const found = scope.local('i32')
  const bits = scope.local('i32')
  return {
    ...emptySink,
    uses: output.mask,
    atStart: [set(left, wordArgument(emission, at + 4)), set(found, i32.const(-1))],
    each: (block) => [
      set(
        bits,
        bitmask(
          groupsOf(block).map((group) => {
            const mask = value(output.mask, group)
            return block.inside === undefined ? mask : v128.and(mask, block.inside(group))
          }),
        ),
      ),
      when(
        i32.lt_u(get(left), i32.popcnt(get(bits))),
        [
          loopWhile(get(left), [
            set(bits, i32.and(get(bits), i32.sub(get(bits), i32.const(1)))),
            set(left, i32.sub(get(left), i32.const(1))),
          ]),
          set(found, i32.add(get(emission.index), i32.ctz(get(bits)))),
          // More than there are elements, so that nothing is found again.
          set(left, i32.const(-1)),
        ],
        [set(left, i32.sub(get(left), i32.popcnt(get(bits))))],
      ),
    ],
    atEnd: [i32.store(wordArgument(emission, at), get(found))],
  }
}
