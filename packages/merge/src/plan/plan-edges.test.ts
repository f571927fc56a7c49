import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue, planIn, prepareIn } from '../__fixtures__/merge.ts'
import { useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'

const folder = useFolder()
const linear = 'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: a}, {model: b}]'

describe('matrices of a method that decomposes them', () => {
  /** A model of one matrix of that many rows and columns, all of them zero. */
  async function writeLarge(name: string, size: number) {
    await writeModel(join(folder.path, name), { tensors: { w: { shape: [1, 1] } } })
    const header = JSON.stringify({ w: { dtype: 'F8_E4M3', shape: [size, size], data_offsets: [0, size ** 2] } })
    const start = Buffer.alloc(8)
    start.writeBigUInt64LE(BigInt(header.length))
    const path = join(folder.path, name, 'model.safetensors')
    await writeFile(path, Buffer.concat([start, Buffer.from(header)]))
    const file = await open(path, 'r+')
    await file.truncate(8 + header.length + size ** 2)
    await file.close()
  }
  const recipe =
    'merge_method: tsv_m\nbase_model: c.safetensors\nmodels: [{model: a.safetensors}, {model: b.safetensors}]'
  const plan = () => planIn(folder.path, recipe.replaceAll('.safetensors', '/model.safetensors'))

  test('may have 16384 rows, and no more', async () => {
    for (const name of ['a', 'b', 'c']) await writeLarge(name, 16_384)
    expect((await plan()).tensors).toHaveLength(1)
    for (const name of ['a', 'b', 'c']) await writeLarge(name, 16_385)
    await expectIssue(plan(), 'matrix-too-large', { name: 'w', size: 16_385, most: 16_384, method: 'tsv_m' })
  })
})

test('a stack whose first slice has more models than its last compares what there is', async () => {
  await writeLlamas(folder.path, { a: { tied: true }, b: { tied: true } })
  const slices = (...sources: readonly string[]) => sources.map((models) => `- sources: [${models}]\n`).join('')
  const first = '{model: a, layer_range: [0, 1]}, {model: b, layer_range: [0, 1]}'
  const last = '{model: a, layer_range: [1, 2]}'
  for (const [one, other] of [
    [first, last],
    [last.replace('1, 2', '0, 1'), first.replaceAll('0, 1', '1, 2')],
  ])
    expect(
      (await planIn(folder.path, `merge_method: linear\nparameters: {weight: 1}\nslices:\n${slices(one!, other!)}`))
        .tensors,
    ).not.toEqual([])
})

test('models without a name in common are told by the first three names of each', async () => {
  const tensors = (...parts: readonly string[]) =>
    Object.fromEntries(
      parts.flatMap((part) => [0, 1, 2].map((layer) => [`model.layers.${layer}.${part}.weight`, { shape: [2] }])),
    )
  const config = { model_type: 'unheard-of', num_hidden_layers: 3 }
  await writeModel(join(folder.path, 'a'), { config, tensors: tensors('a1', 'a2', 'a3', 'a4') })
  await writeModel(join(folder.path, 'b'), { config, tensors: tensors('b1', 'b2') })
  const names = (...parts: readonly string[]) => Object.keys(tensors(...parts))
  await expectIssue(planIn(folder.path, linear), 'other-names', {
    model: 'b',
    donor: 'a',
    names: names('b1', 'b2'),
    donorNames: names('a1', 'a2', 'a3'),
  })
})

test('embeddings of other numbers of dimensions are not cut to each other', async () => {
  await writeLlamas(folder.path, { a: {}, b: { extra: { 'model.embed_tokens.weight': { shape: [24] } } } })
  await expectIssue(planIn(folder.path, linear), 'shape-mismatch', {
    tensors: [
      { model: 'a', name: 'model.embed_tokens.weight', shape: [6, 4] },
      { model: 'b', name: 'model.embed_tokens.weight', shape: [24] },
    ],
  })
})

test('a model of one tensor that nothing is made of is told', async () => {
  const names = ['model.layers.0.x.weight']
  const model = (shape: readonly number[]) => ({
    config: { model_type: 'unheard-of', num_hidden_layers: 1 },
    tensors: Object.fromEntries(names.map((name) => [name, { shape }])),
  })
  await writeModel(join(folder.path, 'a'), model([2]))
  await writeModel(join(folder.path, 'b'), model([2]))
  const text = 'merge_method: passthrough\nbase_model: a\nmodels: [{model: b}]'
  expect((await planIn(folder.path, text)).notes).toEqual([
    'a only gives its config and tokenizer: none of its tensors is in the output',
  ])
})

test('parameters of a slice that no tensor of it takes are told', async () => {
  await writeLlamas(folder.path, { a: {}, b: {} })
  const source = (model: string) => `{model: ${model}, layer_range: [0, 2], parameters: {weight: 1}}`
  const recipe = `merge_method: linear\nslices:\n- sources: [${source('a')}, ${source('b')}]\n  parameters: {weight: 2}\n`
  const { warnings } = await prepareIn(folder.path, recipe)
  expect(warnings.map((line) => line.replaceAll(`${folder.path}/`, ''))).toEqual([
    expect.stringMatching(/^recipe\.yml:4:\d+: 'weight' is not used: each tensor has it from a narrower level/),
  ])
})

describe('what is doubted of a parameter is said in the name of who takes it', () => {
  const warningsOf = async (text: string) => {
    const files = {
      'tokenizer.json': JSON.stringify({
        model: { type: 'WordLevel', vocab: { u: 0, a: 1, b: 2, c: 3, d: 4, e: 5 }, unk_token: 'u' },
        added_tokens: [],
      }),
    }
    await writeLlamas(folder.path, { a: { files }, b: { files } })
    return (await prepareIn(folder.path, text)).warnings.map((line) => line.replace(/^.*?recipe\.yml:/, ''))
  }

  test('the method of the recipe for what only embeddings take', async () => {
    const text = `${linear.replace('weight: 1', 'weight: 1, embed_slerp: true, t: 5')}\ntokenizer_source: union\n`
    expect(await warningsOf(text)).toEqual([expect.stringMatching(/^2:\d+: linear: .*5/)])
  })

  test('the method that has it, which may be another than the first', async () => {
    const text = `merge_method: [{filter: mlp, value: slerp}, {value: linear}]\nbase_model: a\nparameters: {weight: 1, t: 5}\nmodels: [{model: b}]`
    expect(await warningsOf(text)).toEqual([expect.stringMatching(/^3:\d+: slerp: .*5/)])
  })
})

test('the card quotes no mark of code in a name', async () => {
  await writeLlamas(folder.path, { 'a`b': {} })
  const { documents } = await planIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a`b}]')
  expect(documents.find(({ name }) => name === 'README.md')!.text).toContain("- `a'b`\n")
})

test('the card has a place for weights that are counted, though some tensors are only copied', async () => {
  const buffer = { 'model.layers.0.self_attn.rotary_emb.inv_freq': { shape: [2] } }
  await writeLlamas(folder.path, { a: { extra: buffer }, b: { extra: buffer }, base: { extra: buffer } })
  const cardOf = async (weight: string) =>
    (
      await planIn(
        folder.path,
        `merge_method: task_arithmetic\nbase_model: base\nparameters: {weight: ${weight}}\nmodels: [{model: a}, {model: b}]`,
      )
    ).documents.find(({ name }) => name === 'README.md')!.text
  expect(await cardOf('inverse_norm')).toContain('<!--')
  expect(await cardOf('1')).not.toContain('<!--')
})

test('shards have an index that names the file of each tensor', async () => {
  await writeLlamas(folder.path, { a: {} })
  const { documents, tensors, files } = await planIn(folder.path, 'merge_method: passthrough\nmodels: [{model: a}]', {
    shardBytes: 300,
  })
  expect(files.length).toBeGreaterThan(1)
  const index = JSON.parse(documents.find(({ name }) => name === 'model.safetensors.index.json')!.text) as object
  expect(index).toMatchObject({
    weight_map: Object.fromEntries(tensors.map(({ name, file }) => [name, files[file]!.name])),
  })
})
