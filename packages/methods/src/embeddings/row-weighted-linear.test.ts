import { expect, it } from 'vitest'
import { defineMethod } from '../declare/define-method.ts'
import { mergeArrays } from '../merge-arrays.ts'
import { rowWeightedLinear } from './row-weighted-linear.ts'

const rows = (...rowWeights: readonly Float32Array[]) =>
  defineMethod({
    name: 'rows',
    summary: '',
    base: 'none',
    models: { min: 1 },
    parameters: { perModel: {}, methodWide: {} },
    merge: ({ models }) => rowWeightedLinear(models, rowWeights),
  })

it('averages each row by its own weights; rows without any are zeros', async () => {
  const method = rows(Float32Array.of(1, 2, 0, 1, 0), Float32Array.of(1, 0, 3, -1, 0))
  const models = [Float32Array.of(2, 4, 6, 8, 10), Float32Array.of(4, 1, 9, 5, 7)]
  expect(await mergeArrays(method, { shape: [5, 1], models })).toEqual(Float32Array.of(3, 4, 9, 0, 0))
})

it('divides by sums of weights from 1e-8 on', async () => {
  const models = [Float32Array.of(2, 4, 6)]
  const weights = Float32Array.of(1.5e-8, -1.5e-8, 0.99e-8)
  expect(await mergeArrays(rows(weights), { shape: [3, 1], models })).toEqual(Float32Array.of(2, 4, 0))
})
