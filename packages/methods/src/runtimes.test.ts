import { createWasmRuntime } from '@mk/runtime-wasm'
import { createReferenceRuntime, type Runtime } from '@mk/tensor/runtime'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { expectSame, noise } from './__fixtures__/arrays.ts'
import { examples, modelCount, withFiles } from './__fixtures__/examples.ts'
import { builtinMethods } from './builtin-methods.ts'
import { findMethod } from './check/find-method.ts'
import { mergeArrays } from './merge-arrays.ts'

const base = noise(600 * 300, 9)
const models = [1, 2].map((seed) => noise(600 * 300, seed, 0.1).map((d, i) => base[i]! + d))

describe('WebAssembly', () => {
  let wasm: Runtime
  beforeAll(() => (wasm = createWasmRuntime()))
  afterAll(() => wasm.close())

  it.each(examples)('%s with %j gives the bytes that the reference runtime gives', async (name, parameters) => {
    const method = builtinMethods.get(name)!
    // The reference takes long to multiply matrices.
    const shape = method.matrices === undefined ? [600, 300] : [280, 12]
    const count = shape[0]! * shape[1]!
    const request = {
      shape,
      models: models.slice(0, modelCount(method)).map((values) => values.subarray(0, count)),
      base: method.base === 'none' ? undefined : base.subarray(0, count),
      parameters: withFiles(method, parameters, shape),
    }
    expectSame(
      await mergeArrays(findMethod(name), request, wasm),
      await mergeArrays(findMethod(name), request, createReferenceRuntime()),
    )
  })
})
