import { createReferenceRuntime, lower } from '@mk/tensor/runtime'
import { abs, input, max } from '@mk/tensor'
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
