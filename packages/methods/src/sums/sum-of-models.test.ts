import { expect, it } from 'vitest'
import { mergeArrays } from '../index.ts'
import { sumOfModels } from './sum-of-models.ts'

const merge = async (base: number, models: readonly number[], weight: readonly number[]) => {
  const [value] = await mergeArrays(sumOfModels, {
    base: Float32Array.of(base),
    models: models.map((each) => Float32Array.of(each)),
    parameters: { weight },
  })
  return value
}

it('adds models times their weights to a model', async () => {
  expect(await merge(1, [10, 100], [0.5, -2])).toBe(1 + 5 - 200)
})

it('adds one model as well, and needs one', async () => {
  expect(await merge(1, [10], [0.5])).toBe(6)
  await expect(merge(1, [], [])).rejects.toMatchObject({ issue: { code: 'model-count', min: 1 } })
})

it('adds nothing where what is added cancels', async () => {
  expect(await merge(1e-30, [1 + 2 ** -23, 1 + 2 ** -23], [1, -1])).toBe(Math.fround(1e-30))
})
