import { encode } from '@mk/tensor'
import { expect, test, vi } from 'vitest'
import { mergeTensors } from '../memory/merge-tensors.ts'
import type { MemoryModel, StoredTensor } from '../memory/tensor-files.ts'
import type { Recipe } from '../recipe.ts'
import * as batch from './run-batch.ts'
import type { MergeProgress } from './run-tensors.ts'

const names = Array.from({ length: 300 }, (_, index) => `layers.${index % 10}.part${index}.weight`)

/** Tensors of two dtypes and some sizes in turns, of which each number is told apart. */
const model = (seed: number, change: (name: string, values: Float32Array) => void = () => {}): MemoryModel => {
  const tensors = names.map((name, index): [string, StoredTensor] => {
    const dtype = index % 7 === 3 ? 'F32' : 'BF16'
    const shape = index % 5 === 1 ? [3] : [4, 8]
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) =>
      Math.sin(seed + index + 40 * i),
    )
    change(name, values)
    const bytes = new Uint8Array(values.length * (dtype === 'F32' ? 4 : 2))
    encode(dtype, values, bytes, 0)
    return [name, { dtype, shape, bytes }]
  })
  return { tensors: new Map(tensors) }
}

const linear: Recipe = {
  merge_method: 'linear',
  models: [
    { model: 'a', parameters: { weight: 0.3 } },
    { model: 'b', parameters: { weight: [{ filter: 'part1', value: 2 }, { value: 0.5 }] } },
  ],
}
const recipes: readonly Recipe[] = [
  linear,
  { merge_method: 'passthrough', models: [{ model: 'a' }] },
  { merge_method: 'task_arithmetic', base_model: 'a', models: [{ model: 'b', parameters: { weight: 0.7 } }] },
  { ...linear, dtype: 'float16' },
]

test.each(recipes)('$merge_method of many small tensors has the bytes of each tensor’s own merge', async (recipe) => {
  const runBatch = vi.spyOn(batch, 'runBatch')
  const models = { a: model(1), b: model(2) }
  const all = await mergeTensors(recipe, { models })
  expect(all.tensors.size).toBe(names.length)
  expect(runBatch).toHaveBeenCalled()
  for (const name of ['layers.0.part0.weight', 'layers.3.part3.weight', 'layers.1.part291.weight', names.at(-1)!]) {
    const only = ({ tensors }: MemoryModel) => ({
      tensors: { [name]: (tensors as Map<string, StoredTensor>).get(name)! },
    })
    const alone = await mergeTensors(recipe, { models: { a: only(models.a), b: only(models.b) } })
    expect(all.tensors.get(name)).toEqual(alone.tensors.get(name))
  }
})

test('what is infinite or NaN is told of the tensors that have it, with its place and input', async () => {
  const spoiled = new Map([
    [names[100]!, Infinity],
    [names[203]!, NaN],
    [names[299]!, -Infinity],
  ])
  const b = model(2, (name, values) => {
    const value = spoiled.get(name)
    if (value !== undefined) values[2] = value
  })
  const merged = await mergeTensors(linear, { models: { a: model(1), b } })
  expect(
    merged.nonFinite.map(({ tensor, results, overflow, inputs }) => ({ tensor, results, overflow, inputs })),
  ).toEqual(
    [...spoiled.keys()].map((tensor) => ({ tensor, results: 1, overflow: 0, inputs: [{ model: 'b', count: 1 }] })),
  )
  await expect(mergeTensors(linear, { models: { a: model(1), b }, strict: true })).rejects.toMatchObject({
    issue: { code: 'values-not-finite' },
  })
})

test('progress goes up to all tensors and bytes', async () => {
  const told: MergeProgress[] = []
  await mergeTensors(linear, {
    models: { a: model(1), b: model(2) },
    onProgress: (progress) => told.push(progress),
  })
  const finished = told.map(({ finishedTensors }) => finishedTensors)
  expect(finished).toEqual(finished.toSorted((a, b) => a - b))
  expect(finished.at(-1)).toBe(names.length)
  expect(told.at(-1)!.writtenBytes).toBe(told.at(-1)!.totalBytes)
})
