import { join } from 'node:path'
import { mergeArrays } from '@mk/methods'
import { expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { loadFolder, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { makeParts, planFileIn } from '../__fixtures__/parts.ts'

const folder = useFolder()
const at = (name: string) => join(folder.path, name)
const query = 'model.layers.0.self_attn.q_proj'
const down = 'model.layers.1.mlp.down_proj'

const recipe = (more = '') => `merge_method: regmean
dtype: float32
${more}
models:
- {model: a, parameters: {statistics: stats-a.safetensors}}
- {model: b, parameters: {statistics: stats-b}}
`

const gram = (size: number, seed: number) => ({
  shape: [size, size],
  value: (i: number) => Math.cos(seed * (i % size) * Math.floor(i / size)) + (i % (size + 1) === 0 ? size : 0),
})

/** Statistics of some layers, by the names of modules or of weights. */
const writeStatistics = (name: string, seed: number, sizes: Readonly<Record<string, number>>) =>
  writeModel(at(name), {
    tensors: Object.fromEntries(Object.entries(sizes).map(([layer, size]) => [layer, gram(size, seed)])),
  })

async function writeAll(ofB: Readonly<Record<string, number>> = { [`${query}.weight`]: 4, [`${down}.weight`]: 6 }) {
  await writeLlamas(folder.path, { a: {}, b: {} })
  await writeStatistics('stats-a', 1, { [query]: 4, [down]: 6 })
  await writeStatistics('stats-b', 2, ofB)
}
const files = (text: string) => text.replace('stats-a.safetensors', 'stats-a/model.safetensors')

test('matrices of files weigh the matrices of models, and what has none is averaged, which is said', async () => {
  await writeAll()
  const { tensors, plan } = await mergeIn(folder.path, files(recipe()), { runtime: wasmRuntime })
  const [a, b] = [await loadFolder(at('a')), await loadFolder(at('b'))]
  for (const [name, { values, shape }] of Object.entries(tensors)) {
    const size = shape.at(-1)!
    const has = [query, down].some((module) => name === `${module}.weight`)
    const statistics = [1, 2].map((seed) => {
      const { value } = has ? gram(size, seed) : { value: (i: number) => Number(i % (size + 1) === 0) }
      return Float32Array.from({ length: size ** 2 }, (_, i) => value(i))
    })
    const models = [a, b].map((model) => Float32Array.from(model[name]!.values))
    const expected = await mergeArrays('regmean', { models, shape, parameters: { statistics } })
    values.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, has ? 12 : 6))
  }
  const note = plan.notes.find((text) => text.includes('averaged by weight'))!
  expect(note).toContain('model.embed_tokens.weight')
  expect(note).not.toContain('model.norm')
})

test('a part of a plan file has them too', async () => {
  await writeAll()
  const whole = await mergeIn(folder.path, files(recipe()), { runtime: wasmRuntime, prepare: { name: 'x' } })
  const file = await planFileIn(folder.path, files(recipe()), { name: 'x' })
  await makeParts(file, at('parts'), 1)
  expect(
    (await loadFolder(at('parts.partial')).catch(() => loadFolder(at('parts'))))[`${query}.weight`]!.values,
  ).toEqual(whole.tensors[`${query}.weight`]!.values)
})

test('a file that lacks what another one has is refused, as is a matrix of another size', async () => {
  await writeAll({ [query]: 4 })
  const message = await expectIssue(planIn(folder.path, files(recipe())), 'parameter-tensor-missing', {
    parameter: 'statistics',
    file: 'stats-b',
    model: 'b',
    name: `${down}.weight`,
  })
  expect(message).toMatch(/recipe\.yml:6:\d+: stats-b has no tensor model\.layers\.1\.mlp\.down_proj\.weight/)
  await writeAll({ [query]: 6, [down]: 6 })
  await expectIssue(planIn(folder.path, files(recipe())), 'parameter-tensor-shape', { name: query, shape: [4, 4] })
})

test('matrices that are not finite end the merge, with the model', async () => {
  await writeAll()
  await writeModel(at('stats-b'), {
    tensors: { [query]: { shape: [4, 4], value: () => Number.NaN }, [down]: gram(6, 2) },
  })
  await expectIssue(mergeIn(folder.path, files(recipe())), 'statistics-invalid', { name: 'b', problem: 'not finite' })
})
