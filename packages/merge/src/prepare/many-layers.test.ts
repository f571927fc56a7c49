import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeModel } from '../__fixtures__/models.ts'

const folder = useFolder()
const layerCount = 1000

/** How many items filters have gone through: what takes long where each layer goes through the tensors of all. */
function countFiltered(): () => number {
  let count = 0
  const { filter } = Array.prototype
  const spy = vi.spyOn(Array.prototype, 'filter').mockImplementation(function (this: unknown[], ...given) {
    count += this.length
    return Reflect.apply(filter, this, given) as unknown[]
  })
  return () => {
    spy.mockRestore()
    return count
  }
}

test('planning goes through the tensors a bounded number of times, however many layers there are', async () => {
  const names = Array.from({ length: layerCount * 2 }, (_, index) => `model.layers.${index >> 1}.w${index % 2}.weight`)
  await writeModel(join(folder.path, 'a'), {
    config: { model_type: 'unknown', num_hidden_layers: layerCount },
    tensors: Object.fromEntries(names.map((name) => [name, { shape: [0] }])),
  })
  const stop = countFiltered()
  const plan = await planIn(folder.path, 'merge_method: passthrough\nmodels: [{model: ./a}]')
  const filtered = stop()
  expect(plan.tensors).toHaveLength(names.length)
  expect(filtered).toBeLessThan(names.length * 100)
})
