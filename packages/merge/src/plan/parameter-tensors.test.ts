import { rename, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { mergeArrays } from '@mk/methods'
import { describe, expect, test } from 'vitest'
import { ggufFile } from '../../../gguf/src/convert/__fixtures__/plain-file.ts'
import { expectIssue, mergeIn, planIn, wasmRuntime } from '../__fixtures__/merge.ts'
import { type LlamaOptions, loadFolder, tinyLlama, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'

const folder = useFolder()
const at = (name: string) => join(folder.path, name)
const down = (layer: number) => `model.layers.${layer}.mlp.down_proj.weight`
const embedding = 'model.embed_tokens.weight'

const recipe = (models = ['a', 'b'], more = '') => `merge_method: fisher
dtype: float32
${more}
models:
${models.map((name) => `- {model: ${name}, parameters: {importance: fisher-${name}}}\n`).join('')}`

/** Writes importances of a tiny Llama into a folder of their own, positive wherever nothing else is said. */
async function writeImportance(name: string, options: LlamaOptions = {}, value?: (index: number) => number) {
  const { tensors } = tinyLlama(options)
  const seed = name.charCodeAt(name.length - 1)
  const positive = Object.entries(tensors).map(([tensor, each]) => [
    tensor,
    { value: (index: number) => 1 + Math.sin(seed + tensor.length + index), ...each, ...(value && { value }) },
  ])
  await writeModel(at(`fisher-${name}`), { tensors: Object.fromEntries(positive) })
}

const merged = async (tensor: string, models = ['a', 'b']) => {
  const load = (name: string) => loadFolder(at(name))
  const values = async (name: string) => Float32Array.from((await load(name))[tensor]!.values)
  return mergeArrays('fisher', {
    models: await Promise.all(models.map(values)),
    parameters: { importance: await Promise.all(models.map((name) => values(`fisher-${name}`))) },
  })
}

test('the tensor of a file that is called as the model’s goes into the merge beside it, on every runtime', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  await writeImportance('a')
  await writeImportance('b', { dtype: 'BF16' })
  const { tensors, plan, out } = await mergeIn(folder.path, recipe())
  for (const [name, { values }] of Object.entries(tensors))
    expect([name, Float32Array.from(values)]).toEqual([name, await merged(name)])
  expect(plan.inputs.map(({ label, parameter }) => [label, parameter])).toEqual([
    ['a', undefined],
    ['b', undefined],
    ['fisher-a', 'importance'],
    ['fisher-b', 'importance'],
  ])
  expect(plan.notes).toEqual([])
  const wasm = await mergeIn(folder.path, recipe(), { runtime: wasmRuntime, out: `${out}-wasm` })
  expect(wasm.tensors).toEqual(tensors)
  const card = plan.documents.find(({ name }) => name === 'README.md')!.text
  expect(card).toContain('- `importance` from `fisher-a`\n- `importance` from `fisher-b`')
})

test('filters choose files for some tensors, and one file serves several models', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  for (const name of ['a', 'b']) await writeImportance(name)
  const choices = '[{filter: mlp, value: fisher-b/model.safetensors}, {value: fisher-a}]'
  const text = `merge_method: fisher\nparameters: {importance: ${choices}}\nmodels: [{model: a}, {model: b}]`
  const { tensors, inputs } = await planIn(folder.path, text)
  const filesOf = (name: string) => {
    const { operation } = tensors.find((tensor) => tensor.name === name)!
    return operation.kind === 'merge' ? operation.tensors!['importance']!.map(({ input }) => inputs[input]!.label) : []
  }
  expect(filesOf(down(0))).toEqual(Array(2).fill('fisher-b/model.safetensors'))
  expect(filesOf(embedding)).toEqual(Array(2).fill('fisher-a'))
})

test('slices take importances of the layers that they take', async () => {
  await writeLlamas(folder.path, { a: { layers: 3 }, b: { layers: 3 } })
  for (const name of ['a', 'b']) await writeImportance(name, { layers: 3 })
  const sources = ['a', 'b'].map(
    (name) => `{model: ${name}, layer_range: [1, 3], parameters: {importance: fisher-${name}}}`,
  )
  const text = `merge_method: fisher\ndtype: float32\nslices: [{sources: [${sources.join()}]}]`
  const { tensors } = await mergeIn(folder.path, text)
  expect(Float32Array.from(tensors[down(0)]!.values)).toEqual(await merged(down(1)))
})

test('importances of embeddings are cut as the embeddings are', async () => {
  await writeLlamas(folder.path, { a: { rows: 6 }, b: { rows: 8 } })
  await writeImportance('a', { rows: 6 })
  await writeImportance('b', { rows: 8 })
  const { tensors } = await mergeIn(folder.path, recipe())
  const cut = async (name: string) => Float32Array.from((await loadFolder(at(name)))[embedding]!.values.slice(0, 24))
  expect(Float32Array.from(tensors[embedding]!.values)).toEqual(
    await mergeArrays('fisher', {
      models: [await cut('a'), await cut('b')],
      parameters: { importance: [await cut('fisher-a'), await cut('fisher-b')] },
    }),
  )
})

describe('under a tokenizer setting', () => {
  const vocabulary = (...tokens: string[]) => ({
    'tokenizer.json': JSON.stringify({
      version: '1.0',
      added_tokens: [],
      model: { type: 'WordLevel', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), unk_token: 'x' },
    }),
    'tokenizer_config.json': '{"tokenizer_class": "PreTrainedTokenizerFast"}',
  })
  const prepare = async () => {
    const [ofA, ofB] = [vocabulary('x', 'y', 'z'), vocabulary('x', 'w', 'y')]
    await writeLlamas(folder.path, { a: { rows: 3, files: ofA }, b: { rows: 3, files: ofB } })
    for (const name of ['a', 'b']) await writeImportance(name, { rows: 3 })
  }

  test('rows are gathered by token, and what a model has no row for counts by the others alone', async () => {
    await prepare()
    const { tensors } = await mergeIn(folder.path, recipe(['a', 'b'], 'tokenizer: {source: union}'))
    const row = async (name: string, index: number) =>
      (await loadFolder(at(name)))[embedding]!.values.slice(index * 4, index * 4 + 4)
    const values = tensors[embedding]!.values
    expect(values.length).toBe(16)
    // The union has the tokens of a, then w.
    const importance = [await row('fisher-a', 1), await row('fisher-b', 2)].map((each) => Float32Array.from(each))
    const models = [await row('a', 1), await row('b', 2)].map((each) => Float32Array.from(each))
    expect(Float32Array.from(values.slice(4, 8))).toEqual(
      await mergeArrays('fisher', { models, parameters: { importance } }),
    )
    expect(values.slice(8, 12)).toEqual(await row('a', 2))
    expect(values.slice(12, 16)).toEqual(await row('b', 1))
  })

  test('tokenizer_source averages rows by weight, as for every method', async () => {
    await prepare()
    const plan = await planIn(folder.path, recipe(['a', 'b'], 'tokenizer_source: union'))
    expect(plan.tensors.find(({ name }) => name === embedding)!.operation.kind).toBe('rows')
  })
})

test('importances that were computed in memory may have the names of memory', async () => {
  const bare = (name: string) => name.replace(/^model\./, '')
  await writeLlamas(folder.path, { a: { layers: 2 }, b: { layers: 2 } })
  for (const name of ['a', 'b']) await writeImportance(name)
  const expected = await mergeIn(folder.path, recipe(), { out: at('expected') })
  for (const name of ['a', 'b']) {
    const tensors = Object.entries(await loadFolder(at(`fisher-${name}`))).map(([tensor, { values, shape }]) => [
      bare(tensor),
      { shape, value: (index: number) => values[index]! },
    ])
    await writeModel(at(`fisher-${name}`), { tensors: Object.fromEntries(tensors) })
  }
  expect((await mergeIn(folder.path, recipe())).tensors).toEqual(expected.tensors)
})

test('models with adapters, and GGUFs by their own names, have importances too', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  for (const name of ['a', 'b']) await writeImportance(name)
  await writeModel(at('lora'), {
    tensors: {
      'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight': { shape: [2, 4] },
      'base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight': { shape: [4, 2] },
    },
    files: { 'adapter_config.json': '{"peft_type": "LORA", "r": 2, "lora_alpha": 2}' },
  })
  await rename(at('lora/model.safetensors'), at('lora/adapter_model.safetensors'))
  const adapted = recipe().replace('model: a,', 'model: a+lora,')
  const query = 'model.layers.0.self_attn.q_proj.weight'
  const { tensors } = await mergeIn(folder.path, adapted)
  expect(tensors[down(0)]!.values).toEqual([...(await merged(down(0)))])
  expect(tensors[query]!.values).not.toEqual([...(await merged(query))])

  await writeFile(at('one.gguf'), ggufFile('llama3', 'F32'))
  const text = `merge_method: fisher\nmodels: [{model: one.gguf}]\nparameters: {importance: one.gguf}`
  const { tensors: ofGguf } = await planIn(folder.path, text)
  expect(ofGguf.every(({ operation }) => operation.kind !== 'merge' || operation.tensors !== undefined)).toBe(true)
})

describe('is refused:', () => {
  test('a file that lacks a tensor, with place and model', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await writeImportance('a')
    await writeImportance('b', { without: [down(1)] })
    const message = await expectIssue(planIn(folder.path, recipe()), 'parameter-tensor-missing', {
      parameter: 'importance',
      file: 'fisher-b',
      model: 'b',
      name: down(1),
    })
    expect(message).toMatch(
      /recipe\.yml:6:\d+: fisher-b has no tensor model\.layers\.1\.mlp\.down_proj\.weight, which /,
    )
  })

  test('a tensor of another shape', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await writeImportance('a', { extra: { [down(0)]: { shape: [4, 5] } } })
    await writeImportance('b')
    const message = await expectIssue(planIn(folder.path, recipe()), 'parameter-tensor-shape', { file: 'fisher-a' })
    expect(message).toContain(`${down(0)} of fisher-a is [4, 5]; expected [4, 6] as in a, whose importance it is`)
  })

  test('a file that is not there, at the place of the parameter', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await writeImportance('a')
    await expect(planIn(folder.path, recipe())).rejects.toThrow(/recipe\.yml:6:\d+: .*fisher-b/)
  })

  test.each([-1, Number.NaN])('an importance of %d, with tensor and model', async (value) => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    await writeImportance('a')
    await writeImportance('b', {}, (index) => (index === 1 ? value : 1))
    await expectIssue(mergeIn(folder.path, recipe()), 'importance-invalid', { name: 'b', wrong: 1 })
  })

  test('a merge over its own importances', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    for (const name of ['a', 'b']) await writeImportance(name)
    await expectIssue(mergeIn(folder.path, recipe(), { out: at('fisher-a'), overwrite: true }), 'output-is-input', {})
  })

  test('importances that have changed since the merge was planned', async () => {
    await writeLlamas(folder.path, { a: {}, b: {} })
    for (const name of ['a', 'b']) await writeImportance(name)
    const merging = mergeIn(folder.path, recipe(), {
      prepare: { onPlan: () => utimes(at('fisher-b/model.safetensors'), 1, 1) },
    })
    await expectIssue(merging, 'plan-outdated', { isGone: false })
  })
})

test('all importances 0 is a merge by weights, which is said', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  for (const name of ['a', 'b']) await writeImportance(name, {}, () => 0)
  const warnings: string[] = []
  const { tensors } = await mergeIn(folder.path, recipe(), { onWarning: (text) => warnings.push(text) })
  const linear = recipe()
    .replace('fisher\n', 'linear\n')
    .replaceAll(/importance: fisher-[ab]/g, 'weight: 1')
  expect(tensors).toEqual((await mergeIn(folder.path, linear, { out: at('linear') })).tensors)
  expect(warnings).toContain(`${down(0)}: its importance is 0 in all models; it is averaged by their weights alone`)
})

test('importances of packed experts are taken apart as experts of a model are', async () => {
  const [count, hidden, inner] = [2, 4, 3]
  const layer = 'model.layers.0'
  const config = { model_type: 'mixtral', num_hidden_layers: 1 }
  const number = (expert: number, which: number, at: number) => 1 + expert * 100 + which * 30 + at
  const common = { [embedding]: { shape: [6, hidden] } }
  const expert = (of: number, which: number) => ({
    shape: which === 2 ? [hidden, inner] : [inner, hidden],
    value: (at: number) => number(of, which, at),
  })
  const separate = [0, 1].flatMap((of) =>
    ['w1', 'w3', 'w2'].map((name, which) => [
      `${layer}.block_sparse_moe.experts.${of}.${name}.weight`,
      expert(of, which),
    ]),
  )
  await writeModel(at('a'), { config, tensors: { ...common, ...Object.fromEntries(separate) } })
  const size = hidden * inner
  await writeModel(at('fisher-a'), {
    tensors: {
      [embedding]: { shape: [6, hidden], value: () => 1 },
      [`${layer}.mlp.experts.gate_up_proj`]: {
        shape: [count, 2 * inner, hidden],
        value: (at) => number(Math.floor(at / (2 * size)), Math.floor(at / size) % 2, at % size),
      },
      [`${layer}.mlp.experts.down_proj`]: {
        shape: [count, hidden, inner],
        value: (at) => number(Math.floor(at / size), 2, at % size),
      },
    },
  })
  const { tensors, plan } = await mergeIn(folder.path, recipe(['a']))
  const name = `${layer}.block_sparse_moe.experts.1.w2.weight`
  const { operation } = plan.tensors.find((tensor) => tensor.name === name)!
  expect(operation).toMatchObject({ tensors: { importance: [{ input: 1, name }] } })
  expect(tensors[name]!.values).toEqual(Array.from({ length: size }, (_, at) => number(1, 2, at)))
})
