import { dtypeBytes } from '@mk/safetensors'
import type { ProgramOutput } from '@mk/tensor/runtime'
import { get, i32, memory, set, v128 } from '@mk/wasm-encoder'
import { isTakenWithin } from './call-facts.ts'
import { type Eight, roundedNumbers, storeEight } from './codec.ts'
import { type Emission, wordArgument } from './emission.ts'
import { argument } from './layout.ts'
import { emptySink, type Sink } from './sink.ts'

/** Rounds elements to their dtype and writes them. */
export function storeSink(emission: Emission, output: Extract<ProgramOutput, { kind: 'store' }>, index: number): Sink {
  const { program, scope, spill } = emission
  const pointer = scope.local('i32')
  const elementBytes = dtypeBytes(output.dtype)
  const isNumbers = output.dtype === 'BF16' && isTakenWithin(program, emission.facts, output.value)
  return {
    ...emptySink,
    uses: output.value,
    streams: [{ pointer, elementBytes }],
    atStart: [set(pointer, wordArgument(emission, argument.output(program, index)))],
    each: ({ groups, count }) => {
      const target = count === undefined ? pointer : spill
      const pairs = Array.from({ length: groups / 2 }, (_, pair) =>
        emission.withTemporaries((keep) => {
          const eight: Eight = [emission.value(output.value, 2 * pair), emission.value(output.value, 2 * pair + 1)]
          const offset = 8 * pair * elementBytes
          return isNumbers
            ? [v128.store(get(target), roundedNumbers(eight), offset)]
            : storeEight(output.dtype, get(target), offset, eight, keep)
        }),
      )
      const copy =
        count === undefined ? [] : [memory.copy(get(pointer), get(spill), i32.mul(get(count), i32.const(elementBytes)))]
      return [...pairs.flat(), ...copy]
    },
  }
}
