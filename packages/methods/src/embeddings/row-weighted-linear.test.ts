import { expect, it } from 'vitest'
import { defineMethod } from '../declare/define-method.ts'
import { mergeArrays } from '../merge-arrays.ts'
import { rowWeightedLinear } from './row-weighted-linear.ts'

it('averages each row by its own weights; rows without any are zeros', async () => {
  const method = defineMethod({
    name: 'rows',
    summary: '',
    base: 'none',
    models: { min: 2 },
    parameters: { perModel: {}, methodWide: {} },
    merge: ({ models }) => rowWeightedLinear(models, [Float32Array.of(1, 2, 0, 1, 0), Float32Array.of(1, 0, 3, -1, 0)]),
  })
  const models = [Float32Array.of(2, 4, 6, 8, 10), Float32Array.of(4, 1, 9, 5, 7)]
  expect(await mergeArrays(method, { shape: [5, 1], models })).toEqual(Float32Array.of(3, 4, 9, 0, 0))
})
