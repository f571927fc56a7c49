import { createReferenceRuntime, lower, uniformAt } from '@mk/tensor/runtime'
import { input, lt, perRow, select, uniform } from '@mk/tensor'
import { expect, it } from 'vitest'
import { findDifference } from '../__fixtures__/compare.ts'
import { createRuntimeThatSpecializes } from '../runtime.ts'

const key = { high: 3, low: 5 }
const elementCount = 40
const drawn = Array.from({ length: elementCount }, (_, index) => uniformAt(key, index))
const next = 2 ** -24

it('compares what is drawn with any limit as the reference does', async () => {
  const [reference, wasm] = [createReferenceRuntime(), createRuntimeThatSpecializes({ memoryBytes: 2 ** 20 }, 1)]
  const around = drawn.slice(0, 8).flatMap((number) => [number - next, number, number + next / 2, number + next])
  const limits = [...around, 0, -0, -1, 1, 2, 1e30, Infinity, -Infinity, NaN, 1e-40, next, next / 2, 1 - next]
  for (const limit of limits) {
    const rows = Float32Array.from({ length: 10 }, (_, row) => limit + row * next)
    const stores = [limit, perRow(rows)].map((than) => ({
      value: select(lt(uniform(key), than), 1, input(0)),
      dtype: 'F32' as const,
    }))
    const { program, scalars, vectors } = lower({ stores }, ['U8'])
    const call = { elementCount, offset: 0, columns: 4, inputs: [new Uint8Array(elementCount)], scalars, vectors }
    const outputs = stores.map(() => new Uint8Array(4 * elementCount))
    const difference = await findDifference(program, { ...call, outputs }, reference, wasm)
    expect(difference && `${limit}: ${difference}`).toBeUndefined()
  }
})
