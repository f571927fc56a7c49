import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mergeArrays } from '@mk/methods'
import { expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { loadFolder, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { finishIn, makeParts, planFileIn } from '../__fixtures__/parts.ts'
import { planCost } from './plan-cost.ts'

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

const statisticsOf = (size: number, seed: number) =>
  Float32Array.from({ length: size ** 2 }, (_, i) => gram(size, seed).value(i))

test('layers that are stored as inputs × outputs have matrices of their inputs', async () => {
  const [a, b] = ['gpt2-ft1', 'gpt2-ft2'].map((name) =>
    fileURLToPath(new URL(`../../../../goldens/models/${name}`, import.meta.url)),
  )
  const [attention, projection] = ['h.0.attn.c_attn', 'h.0.mlp.c_proj']
  const models = [await loadFolder(a!), await loadFolder(b!)]
  // By the name of the checkpoint, whatever comes before it.
  const nameOf = (module: string) => Object.keys(models[0]!).find((name) => name.endsWith(`${module}.weight`))!
  const names = [attention, projection].map((module) => nameOf(module!))
  const sizes = Object.fromEntries(names.map((name) => [name, models[0]![name]!.shape[0]!]))
  for (const seed of [1, 2]) await writeStatistics(`stats-${seed}`, seed, sizes)
  const text = (ofB = 'stats-2') => `merge_method: regmean
dtype: float32
models:
- {model: ${a}, parameters: {statistics: stats-1}}
- {model: ${b}, parameters: {statistics: ${ofB}}}
`
  const { tensors, plan } = await mergeIn(folder.path, text(), { runtime: wasmRuntime })
  for (const name of names) {
    const { shape, values } = tensors[name]!
    expect(shape[0]).not.toBe(shape[1])
    const expected = await mergeArrays('regmean', {
      models: models.map((model) => Float32Array.from(model[name]!.values)),
      shape,
      parameters: { statistics: [1, 2].map((seed) => statisticsOf(shape[0]!, seed)) },
      inputSide: 'rows',
    })
    values.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
  }
  expect((await planCost(plan, { threads: 1 })).passes).toBe(1)
  // Of outputs there are none to be had.
  const [name] = names
  await writeStatistics('of-outputs', 1, { ...sizes, [name!]: models[0]![name!]!.shape[1]! })
  await expectIssue(planIn(folder.path, text('of-outputs')), 'parameter-tensor-shape', {
    shape: [sizes[name!]!, sizes[name!]!],
  })
})

test('packed experts have a matrix each, or one for all', async () => {
  const [count, hidden, inner] = [3, 4, 6]
  const experts = (part: string) => `model.layers.0.mlp.experts.${part}`
  const shapes = {
    [experts('gate_up_proj')]: [count, 2 * inner, hidden],
    [experts('down_proj')]: [count, hidden, inner],
  }
  const extra = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape }]))
  const config = { model_type: 'granitemoe', architectures: ['GraniteMoeForCausalLM'] }
  await writeLlamas(folder.path, { a: { extra, config }, b: { extra, config } })
  const [gate, down] = Object.keys(shapes) as [string, string]
  const seedOf = (model: number, expert: number) => 1 + model + 10 * expert
  for (const [model, name] of ['stats-a', 'stats-b'].entries())
    await writeModel(at(name), {
      tensors: {
        [gate]: {
          shape: [count, hidden, hidden],
          value: (i) => gram(hidden, seedOf(model, Math.floor(i / hidden ** 2))).value(i % hidden ** 2),
        },
        [down]: gram(inner, seedOf(model, 0)),
      },
    })
  const { tensors, plan } = await mergeIn(folder.path, files(recipe()), {
    runtime: wasmRuntime,
    prepare: { name: 'x' },
  })
  expect(plan.notes.find((note) => note.includes('averaged by weight'))).not.toContain('experts')
  const models = [await loadFolder(at('a')), await loadFolder(at('b'))]
  for (const [name, size] of [
    [gate, hidden],
    [down, inner],
  ] as const) {
    const { shape, values } = tensors[name]!
    const elements = shape[1]! * shape[2]!
    for (let expert = 0; expert < count; expert++) {
      const part = (all: readonly number[]) => Float32Array.from(all.slice(expert * elements, (expert + 1) * elements))
      const expected = await mergeArrays('regmean', {
        models: models.map((model) => part(model[name]!.values)),
        shape: shape.slice(1),
        parameters: {
          statistics: [0, 1].map((model) => statisticsOf(size, seedOf(model, name === gate ? expert : 0))),
        },
      })
      part(values).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
    }
  }
  const file = await planFileIn(folder.path, files(recipe()), { name: 'x' })
  await makeParts(file, at('parts'), 2)
  await finishIn(file, at('parts'))
  expect((await loadFolder(at('parts')))[gate]!.values).toEqual(tensors[gate]!.values)
  await writeModel(at('stats-b'), { tensors: { [gate]: { shape: [2, hidden, hidden] }, [down]: gram(inner, 1) } })
  await expectIssue(planIn(folder.path, files(recipe())), 'parameter-tensor-shape', {
    found: [2, hidden, hidden],
    shape: [count, hidden, hidden],
  })
})

test('packed experts that are stored as inputs × outputs have matrices of their inputs', async () => {
  const size = 4
  const name = 'model.layers.0.mlp.experts.down_proj'
  const extra = { [name]: { shape: [2, size, size] } }
  const config = { model_type: 'gpt_oss', architectures: ['GptOssForCausalLM'] }
  await writeLlamas(folder.path, { a: { extra, config }, b: { extra, config } })
  for (const [seed, stats] of ['stats-a', 'stats-b'].entries()) await writeStatistics(stats, seed + 1, { [name]: size })
  const { tensors } = await mergeIn(folder.path, files(recipe()), { runtime: wasmRuntime })
  const models = [await loadFolder(at('a')), await loadFolder(at('b'))]
  const merged = (inputSide: 'rows' | 'columns') =>
    mergeArrays('regmean', {
      models: models.map((model) => Float32Array.from(model[name]!.values.slice(size ** 2))),
      shape: [size, size],
      parameters: { statistics: [1, 2].map((seed) => statisticsOf(size, seed)) },
      inputSide,
    })
  const found = tensors[name]!.values.slice(size ** 2)
  const [expected, other] = [await merged('rows'), await merged('columns')]
  found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
  expect(Math.max(...found.map((value, i) => Math.abs(value - other[i]!)))).toBeGreaterThan(1e-3)
})

test('packed experts that are taken apart take the matrices of each along', async () => {
  const [count, hidden, inner] = [3, 4, 2]
  const name = (part: string) => `model.layers.0.mlp.experts.${part}`
  const extra = {
    [name('gate_up_proj')]: { shape: [count, 2 * inner, hidden] },
    [name('down_proj')]: { shape: [count, hidden, inner] },
  }
  const config = { model_type: 'mixtral', architectures: ['MixtralForCausalLM'] }
  await writeLlamas(folder.path, { a: { extra, config }, b: { extra, config } })
  for (const [model, stats] of ['stats-a', 'stats-b'].entries())
    await writeModel(at(stats), {
      tensors: {
        [name('gate_up_proj')]: {
          shape: [count, hidden, hidden],
          value: (i) => gram(hidden, 1 + model + 10 * Math.floor(i / hidden ** 2)).value(i % hidden ** 2),
        },
        [name('down_proj')]: gram(inner, 1 + model),
      },
    })
  const { tensors, plan } = await mergeIn(folder.path, files(recipe()), { runtime: wasmRuntime })
  expect(plan.notes.find((note) => note.includes('averaged by weight'))).not.toContain('experts')
  const models = [await loadFolder(at('a')), await loadFolder(at('b'))]
  const [expert, half] = [2, inner * hidden]
  for (const [weight, part, from] of [
    ['w1', 'gate_up_proj', 2 * expert * half],
    ['w3', 'gate_up_proj', (2 * expert + 1) * half],
    ['w2', 'down_proj', expert * half],
  ] as const) {
    const isDown = part === 'down_proj'
    const shape = isDown ? [hidden, inner] : [inner, hidden]
    const expected = await mergeArrays('regmean', {
      models: models.map((model) => Float32Array.from(model[name(part)]!.values.slice(from, from + half))),
      shape,
      parameters: { statistics: [1, 2].map((seed) => statisticsOf(shape[1]!, isDown ? seed : seed + 10 * expert)) },
    })
    const found = tensors[`model.layers.0.block_sparse_moe.experts.${expert}.${weight}.weight`]!.values
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 6))
  }
  await writeModel(at('stats-b'), { tensors: { [name('gate_up_proj')]: { shape: [2, hidden, hidden] } } })
  await expectIssue(planIn(folder.path, files(recipe())), 'experts-differ', { shape: [2, hidden, hidden] })
})
