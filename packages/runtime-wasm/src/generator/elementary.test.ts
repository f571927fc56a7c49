import { exp, input } from '@mk/tensor'
import { createReferenceRuntime, lower } from '@mk/tensor/runtime'
import { expect, it } from 'vitest'
import { findDifference } from '../__fixtures__/compare.ts'
import { createWasmRuntime } from '../runtime.ts'

it('takes exponentials of blocks of small numbers as of any others', async () => {
  const [reference, wasm] = [createReferenceRuntime(), createWasmRuntime({ memoryBytes: 2 ** 20 })]
  const { program, scalars, vectors } = lower({ stores: [{ value: exp(input(0)), dtype: 'F32' }] }, ['F32'])
  const small = Float32Array.from({ length: 4096 }, (_, i) => ((i % 64) - 32) * 0.0107 * 2 ** -Math.floor(i / 64))
  small.set([0, -0, 1e-45, -1e-45, 0.34, -0.34, 0.3399999, 2 ** -24])
  const elementCount = small.length
  for (const [special, at] of [
    [0, 0],
    [0.3400001, 9],
    [-0.35, 18],
    [NaN, 27],
    [-Infinity, 36],
    [88.8, 45],
  ] as const) {
    const inputs = [new Uint8Array(Float32Array.from(small, (x, i) => (i === at ? special : x)).buffer)]
    const outputs = [new Uint8Array(4 * elementCount)]
    const call = { elementCount, offset: 0, columns: elementCount, inputs, scalars, vectors, outputs }
    expect(await findDifference(program, call, reference, wasm)).toBeUndefined()
  }
})
