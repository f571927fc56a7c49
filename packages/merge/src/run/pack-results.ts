import type { KernelResult } from '@mk/tensor/runtime'
import type { TaskResult } from './task.ts'

/** What a worker gives back, as one message that costs little: of many ranges with a number for each output, the numbers are one array. */
export type PackedResult =
  | TaskResult
  | (Omit<TaskResult, 'results'> & {
      readonly ranges: readonly number[]
      /** All of the first range, then all of the next. */
      readonly numbers: Float64Array
    })

/** Packs a result for a message. */
export function packResult(result: TaskResult): PackedResult {
  const { results, ...others } = result
  const outputs = results[0]?.result.length ?? 0
  const isNumbers = ({ result: each }: { readonly result: KernelResult }) =>
    each.length === outputs && each.every((values) => values.length === 1 && values instanceof Float64Array)
  if (results.length < 2 || outputs === 0 || !results.every(isNumbers)) return result
  const numbers = new Float64Array(results.length * outputs)
  results.forEach((each, index) => {
    for (let output = 0; output < outputs; output++) numbers[index * outputs + output] = each.result[output]![0]!
  })
  return { ...others, ranges: results.map(({ range }) => range), numbers }
}

/** Makes of a message what was packed. */
export function unpackResult(packed: PackedResult): TaskResult {
  if ('results' in packed) return packed
  const { ranges, numbers, ...others } = packed
  const outputs = numbers.length / ranges.length
  const results = ranges.map((range, index) => ({
    range,
    result: Array.from({ length: outputs }, (_, output) =>
      numbers.subarray(index * outputs + output, index * outputs + output + 1),
    ),
  }))
  return { ...others, results }
}
