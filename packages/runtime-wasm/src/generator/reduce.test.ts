import { createReferenceRuntime, lower } from '@mk/tensor/runtime'
import { abs, count, gt, input, max, mul, quickSum, select, sub, sum } from '@mk/tensor'
import { expect, it } from 'vitest'
import { findDifference } from '../__fixtures__/compare.ts'
import { createWasmRuntime } from '../runtime.ts'

it('finds the largest magnitude, whatever its sign, and NaN of either sign', async () => {
  const [reference, wasm] = [createReferenceRuntime(), createWasmRuntime({ memoryBytes: 2 ** 20 })]
  const { program, scalars, vectors } = lower(
    { reductions: [max(abs(input(0)), 'tensor'), max(abs(input(0)), 'row')] },
    ['F32'],
  )
  const negativeNaN = new Float32Array(Uint32Array.of(0xffc00001).buffer)[0]!
  for (const special of [-0, 1e-45, -1e-45, -3, 3, -Infinity, Infinity, NaN, negativeNaN])
    for (const at of [0, 6, 18]) {
      const values = Float32Array.from({ length: 21 }, (_, i) => (i === at ? special : 0))
      const inputs = [new Uint8Array(values.buffer)]
      const call = { elementCount: 21, offset: 0, columns: 7, inputs, scalars, vectors, outputs: [] }
      expect(await findDifference(program, call, reference, wasm)).toBeUndefined()
    }
})

it('adds several sums up from memory as one by itself, wherever blocks, rows and calls end', async () => {
  const [reference, wasm] = [createReferenceRuntime(), createWasmRuntime({ memoryBytes: 2 ** 20 })]
  const [a, b] = [input(0), input(1)]
  const kept = select(gt(a, 0), abs(b), 0)
  const whole = [sum(mul(a, a)), sum(mul(a, b)), count(gt(a, b)), sum(abs(b)), sum(kept)]
  const byRow = [...whole, sum(sub(a, b), 'row'), sum(mul(a, b), 'row'), sum(a, 'column')]
  const values = (seed: number, length: number) =>
    new Uint8Array(Float32Array.from({ length }, (_, i) => Math.sin(seed + i * i) * 10 ** (i % 9)).buffer)
  for (const reductions of [whole, [...whole, quickSum(a)], byRow])
    for (const [elementCount, columns] of [510, 511, 512, 513, 517, 528, 1024, 1543]
      .map((length) => [length, length] as const)
      .concat([[3 * 517, 517]], [[9 * 13, 13]], [[2 * 1030, 1030]])) {
      const { program, scalars, vectors } = lower({ reductions }, ['F32', 'F32'])
      const inputs = [values(1, elementCount), values(2, elementCount)]
      const call = { elementCount, offset: 0, columns, inputs, scalars, vectors, outputs: [] }
      const difference = await findDifference(program, call, reference, wasm)
      expect(difference && `${elementCount} of ${columns}: ${difference}`).toBeUndefined()
    }
})
