import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { mergeIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { useFolder } from '../__fixtures__/models.ts'

const folder = useFolder()
const [base, code] = ['tiny-base', 'tiny-code'].map((name) =>
  fileURLToPath(new URL(`../../../../examples/models/${name}`, import.meta.url)),
)
const padded = 'tokenizer: {source: base, pad_to_multiple_of: 100}'
const columns = 128
const embedding = 'model.embed_tokens.weight'

/** The first rows of a padded embedding, what they have on average, and the last row. */
async function merge(recipe: string) {
  const { tensors, result } = await mergeIn(folder.path, recipe, { runtime: wasmRuntime, overwrite: true })
  const { dtype, shape, values } = tensors[embedding]!
  expect([result.nonFinite, shape]).toEqual([[], [1600, columns]])
  const rows = values.slice(0, 1536 * columns)
  const mean = Float64Array.from({ length: columns }, (_, column) =>
    rows.reduce((sum, value, i) => (i % columns === column ? sum + value : sum), 0),
  ).map((sum) => sum / 1536)
  return { dtype, rows, mean, last: values.slice(-columns) }
}

test('a padding row is the mean, rounded once to what is written', async () => {
  const recipe = `merge_method: passthrough\nbase_model: ${base}\nmodels: [{model: ${base}}]\n${padded}\n`
  const wide = await merge(`${recipe}dtype: float32`)
  expect(wide.last).toEqual([...Float32Array.from(wide.mean)])
  const own = await merge(recipe)
  expect([own.dtype, own.rows]).toEqual(['BF16', wide.rows])
  own.last.forEach((value, i) => expect(Math.abs(value - wide.mean[i]!)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -8))
})

test('the mean of padding rows of two models is that of their means, not of rounded ones', async () => {
  const models = `[{model: ${base}}, {model: ${code}}]`
  const { mean, last } = await merge(
    `merge_method: linear\nbase_model: ${base}\nmodels: ${models}\nparameters: {weight: 0.5}\n${padded}\ndtype: float32`,
  )
  last.forEach((value, i) => expect(Math.abs(value - mean[i]!)).toBeLessThan(1e-8))
})
