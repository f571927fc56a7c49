import { expect, it, test } from 'vitest'
import { input } from '../language/operations.ts'
import { lower } from '../program/lower.ts'
import { createReferenceRuntime } from './reference-runtime.ts'

/** What is listed of numbers within windows. */
async function collect(numbers: readonly number[], ...bounds: readonly (readonly [lo: number, hi: number])[]) {
  const windows = bounds.map(([lo, hi]) => ({ lo, hi }))
  const lowered = lower({ collections: [{ value: input(0), windows }] }, ['F32'])
  const kernel = await createReferenceRuntime().compile(lowered.program)
  return kernel.run({
    ...lowered,
    elementCount: numbers.length,
    offset: 0,
    columns: numbers.length,
    inputs: [new Uint8Array(Float32Array.from(numbers).buffer)],
    outputs: [],
  })
}

it('lists the patterns within windows in their order, and counts what is below each', async () => {
  const numbers = [0, 4, 0.99, -1, 2, 1.5, Infinity, -3, NaN, 1]
  expect(await collect(numbers, [0x3f800000, 0x40000000], [0x40800000, 0x7f800001])).toEqual([
    Uint32Array.of(2, 7, 0x40800000, 0x3f800000, 0x3fc00000, 0x7f800000, 0x3f800000),
  ])
})

test.each([
  ['that begin below zero', [-1, 5], [8, 9]],
  ['that end before they begin', [5, 4], [8, 9]],
  ['that overlap', [1, 5], [4, 9]],
  ['that reach into NaN', [1, 5], [8, 0x7f800002]],
  ['that end between patterns', [1, 5.5], [8, 9]],
] as const)('refuses windows %s', async (_, first, second) => {
  await expect(collect([1], first, second)).rejects.toMatchObject({ code: 'malformed-call' })
})
