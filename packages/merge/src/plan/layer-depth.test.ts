import { expect, test } from 'vitest'
import { mergeIn, planIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const recipe = (parameters: string) => `merge_method: task_arithmetic
base_model: base
dtype: float32
parameters: {weight: 0.5, ${parameters}}
models: [{model: a}, {model: b}]`

test('LiNeS scales layers as a gradient of lambda from α to α + β does, and what is in no layer by α', async () => {
  await writeLlamas(folder.path, { base: { layers: 3 }, a: { layers: 3 }, b: { layers: 3 } })
  const lines = await mergeIn(folder.path, recipe('lines_alpha: 0.25, lines_beta: 0.5'))
  const gradient = await mergeIn(folder.path, recipe('lambda: [0.25, 0.75]'), { out: `${folder.path}/gradient` })
  expect(lines.tensors).toEqual(gradient.tensors)
})

test('LiNeS goes by the layers of the output, whatever the slices, and by their last value for a single one', async () => {
  await writeLlamas(folder.path, { base: { layers: 4 }, a: { layers: 4 }, b: { layers: 4 } })
  const depths = async (...ranges: readonly string[]) => {
    const sliceOf = (range: string) =>
      `- {sources: [${['base', 'a', 'b'].map((model) => `{model: ${model}, layer_range: ${range}}`).join()}]}\n`
    const models = /models:.*/
    const text = recipe('lines_beta: 0.5').replace(models, `slices:\n${ranges.map(sliceOf).join('')}`)
    const { tensors } = await planIn(folder.path, text)
    return tensors.flatMap(({ name, operation }) =>
      operation.kind === 'merge' && /down_proj|norm\.weight$/.test(name) && !name.includes('layernorm')
        ? [operation.layerDepth]
        : [],
    )
  }
  expect(await depths('[0, 1]', '[1, 3]')).toEqual([0, 0.5, 1, undefined])
  expect(await depths('[2, 3]')).toEqual([1, undefined])
})

test('plans of merges that scale all layers alike say nothing of depths', async () => {
  await writeLlamas(folder.path, { base: {}, a: {}, b: {} })
  const { tensors } = await planIn(folder.path, recipe('lines_alpha: 0.5'))
  expect(JSON.stringify(tensors)).not.toContain('layerDepth')
})
