import { expect, test } from 'vitest'
import { packResult, unpackResult } from './pack-results.ts'
import type { TaskResult } from './task.ts'

const numbers = (...values: number[]) => values.map((value) => Float64Array.of(value))

test.each<[string, TaskResult, boolean]>([
  [
    'a number for each output of several ranges',
    {
      results: [
        { range: 2, result: numbers(1, NaN) },
        { range: 3, result: numbers(-0, 4) },
      ],
    },
    true,
  ],
  [
    'what is not finite beside them',
    {
      results: [
        { range: 0, result: numbers(1) },
        { range: 1, result: numbers(2) },
      ],
      nonFinite: { results: 1, overflow: 0, inputs: [1] },
    },
    true,
  ],
  ['a single range', { results: [{ range: 0, result: numbers(1, 2) }] }, false],
  ['nothing', { results: [] }, false],
  [
    'rows',
    {
      results: [
        { range: 0, result: [Float64Array.of(1, 2)] },
        { range: 1, result: [Float64Array.of(3)] },
      ],
    },
    false,
  ],
  [
    'counts',
    {
      results: [
        { range: 0, result: [Uint32Array.of(1)] },
        { range: 1, result: [Uint32Array.of(3)] },
      ],
    },
    false,
  ],
])('a result survives a message: %s', (_, result, isPacked) => {
  const packed = packResult(result)
  expect('numbers' in packed).toBe(isPacked)
  expect(unpackResult(structuredClone(packed))).toEqual(result)
})
