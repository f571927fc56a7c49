import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { elementwise } from '../../../methods/src/__fixtures__/elementwise.ts'
import { expectIssue, mergeIn, planIn, prepareIn, referenceRuntime, wasmRuntime } from '../__fixtures__/merge.ts'
import { type TinyTensor, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { planCost } from '../plan/plan-cost.ts'
import { runMerge } from '../node/run-merge.ts'
import { listCountedWeights } from '../plan/weight-groups.ts'

const folder = useFolder()
const at = (name: string) => join(folder.path, name)
const names = ['model.embed_tokens.weight', ...[0, 1, 2].map((layer) => `model.layers.${layer}.mlp.down_proj.weight`)]
const settings = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  num_hidden_layers: 3,
  tie_word_embeddings: true,
}

/** The models of the fixture that numpy has merged. */
async function writeFixture() {
  const tensors = (model: readonly (readonly number[])[]): Record<string, TinyTensor> =>
    Object.fromEntries(names.map((name, i) => [name, { shape: elementwise.shape, value: (at) => model[i]![at]! }]))
  const write = (name: string, model: readonly (readonly number[])[]) =>
    writeModel(at(name), { config: settings, tensors: tensors(model) })
  await write('base', elementwise.base)
  for (const [i, model] of elementwise.models.entries()) await write('abc'[i]!, model)
}

const recipe = (weight: string, more = '') => `merge_method: task_arithmetic
base_model: base
dtype: float32
${more}
parameters: {weight: ${weight}}
models: [{model: a}, {model: b}, {model: c}]`

describe.each([
  ['metagpt', 'metagpt', elementwise.metagptWeights],
  ['inverse_norm', 'inverseNorm', elementwise.inverseNormWeights],
])('weight: %s', (rule, key, weights) => {
  test('is what numpy makes of it over the whole model, told in result, card and progress', async () => {
    await writeFixture()
    const seen: unknown[] = []
    const { tensors, result, out } = await mergeIn(folder.path, recipe(rule), {
      onProgress: ({ counting, writtenBytes }) =>
        counting && seen.push([counting.doneBytes, counting.totalBytes, writtenBytes]),
    })
    for (const [i, name] of names.entries()) {
      const expected = (elementwise[key] as readonly (readonly number[])[])[i]!
      tensors[name]!.values.forEach((value, at) => expect(value).toBeCloseTo(expected[at]!, 5))
    }
    expect(result.weights).toMatchObject([
      { rule, tensorCount: 4, models: [{ model: 'a' }, { model: 'b' }, { model: 'c' }] },
    ])
    result.weights![0]!.models.forEach(({ weight }, i) => expect(weight).toBeCloseTo(weights[i]!, 6))
    const card = await readFile(join(out, 'README.md'), 'utf8')
    const [one] = result.weights![0]!.models
    expect(card).toContain(`- weights by \`${rule}\` over 4 tensors: \`a\` ${one!.weight}, \`b\` `)
    expect(card).not.toContain('<!--')
    // The base is read where task vectors are what counts.
    const bytes = 4 * (rule === 'metagpt' ? 4 : 3) * 96
    expect(seen.at(-1)).toEqual([bytes, bytes, 0])
  })

  test('gives the same bytes on every runtime', async () => {
    await writeFixture()
    const reference = await mergeIn(folder.path, recipe(rule), { out: at('reference') })
    const wasm = await mergeIn(folder.path, recipe(rule), { out: at('wasm'), runtime: wasmRuntime })
    expect(wasm.tensors).toEqual(reference.tensors)
    expect(wasm.result.weights).toEqual(reference.result.weights)
  })
})

test('a plan names what is counted, and its cost has the pass', async () => {
  await writeFixture()
  const plan = await planIn(folder.path, recipe('metagpt'))
  expect(listCountedWeights(plan)).toEqual([{ rule: 'metagpt', models: ['a', 'b', 'c'], tensorCount: 4 }])
  expect(plan.tensors[0]!.operation).toMatchObject({ parameters: { weight: ['metagpt', 'metagpt', 'metagpt'] } })
  expect((await planCost(plan, { threads: 1 })).passes).toBe(2)
  expect((await planCost(await planIn(folder.path, recipe('0.5')), { threads: 1 })).passes).toBe(1)
})

test('only what says so is counted, and apart where other models are merged', async () => {
  await writeFixture()
  const filtered = '[{filter: mlp, value: metagpt}, {value: 0.25}]'
  const { result } = await mergeIn(folder.path, recipe(filtered))
  expect(result.weights).toMatchObject([{ tensorCount: 3 }])
  const slices = ['[0, 1]|ab', '[1, 3]|bc'].map((text) => {
    const [range, models] = text.split('|') as [string, string]
    const sources = ['base', ...models].map((model) => `{model: ${model}, layer_range: ${range}}`)
    return `- {sources: [${sources.join()}]}\n`
  })
  const stacked = recipe('metagpt').replace(/models:.*/, `slices:\n${slices.join('')}`)
  const groups = listCountedWeights(await planIn(folder.path, stacked))
  expect(groups.map(({ models, tensorCount }) => [models.join(''), tensorCount])).toEqual([
    ['ab', 2],
    // The embedding of the last slice is the head.
    ['bc', 3],
  ])
})

test('a merge that was interrupted goes on without counting again', async () => {
  await writeFixture()
  const { plan, methods } = await prepareIn(folder.path, recipe('metagpt'))
  const stop = new AbortController()
  const run = (more: object) =>
    runMerge(plan, { out: at('out'), methods, runtime: referenceRuntime, threads: 0, ...more })
  const interrupted = run({
    signal: stop.signal,
    onProgress: ({ writtenBytes }: { writtenBytes: number }) => writtenBytes > 0 && stop.abort(),
  })
  await expectIssue(interrupted, 'interrupted', {})
  let counts = 0
  const result = await run({
    onProgress: ({ counting }: { counting?: object }) => (counts += counting === undefined ? 0 : 1),
  })
  expect(counts).toBe(0)
  const straight = await mergeIn(folder.path, recipe('metagpt'), { out: at('straight') })
  expect(result.weights).toEqual(straight.result.weights)
  for (const file of ['model.safetensors', 'README.md'])
    expect(await readFile(join(at('out'), file))).toEqual(await readFile(join(at('straight'), file)))
})

test('a merge that another is made of has its weights counted before', async () => {
  await writeFixture()
  const inner = `${recipe('metagpt')}\nname: inner\n`
  const outer =
    'merge_method: linear\ndtype: float32\nparameters: {weight: inverse_norm}\nmodels: [{model: inner}, {model: a}]\n'
  const { tensors, result, out } = await mergeIn(folder.path, `${inner}---\n${outer}`)
  expect(result.weights).toMatchObject([
    { rule: 'metagpt', stage: 'inner' },
    { rule: 'inverse_norm', models: [{ model: 'inner' }, { model: 'a' }] },
  ])
  await mergeIn(folder.path, recipe('metagpt'), { out: at('inner-merged') })
  const apart = await mergeIn(folder.path, outer.replace('model: inner', 'model: inner-merged'), { out: at('apart') })
  for (const name of names)
    tensors[name]!.values.forEach((value, i) => expect(value).toBeCloseTo(apart.tensors[name]!.values[i]!, 6))
  expect(await readFile(join(out, 'README.md'), 'utf8')).toContain('over 4 tensors of `inner`: `a` ')
})

test('rows that are averaged by token have equal weights, which is noted', async () => {
  const files = {
    'tokenizer.json':
      '{"model": {"type": "WordLevel", "vocab": {"x": 0, "y": 1, "z": 2}, "unk_token": "x"}, "added_tokens": []}',
  }
  await writeLlamas(folder.path, {
    base: { rows: 3, files },
    a: { rows: 3, files },
    b: { rows: 3, files },
    c: { rows: 3, files },
  })
  const { plan, result } = await mergeIn(folder.path, recipe('metagpt', 'tokenizer_source: union'))
  expect(plan.notes.filter((note) => note.includes('with equal weights, since metagpt tells nothing')).length).toBe(2)
  expect(result.weights).toMatchObject([{ rule: 'metagpt', tensorCount: 7 }])
  const whole = await mergeIn(folder.path, recipe('metagpt', 'tokenizer: {source: union}'), { out: at('whole') })
  expect(whole.result.weights).toMatchObject([{ rule: 'metagpt', tensorCount: 9 }])
})

describe('is refused:', () => {
  test('a rule for some models only, before anything is counted', async () => {
    await writeFixture()
    const mixed = recipe('metagpt').replace('{model: b}', '{model: b, parameters: {weight: 0.5}}')
    await expectIssue(planIn(folder.path, mixed), 'weights-by-norm', { problem: 'mixed' })
  })

  test('metagpt of a method without a base', async () => {
    await writeFixture()
    const message = await expectIssue(
      planIn(folder.path, recipe('metagpt').replace('task_arithmetic', 'linear').replace('base_model: base\n', '')),
      'weights-by-norm',
      { problem: 'no-base' },
    )
    expect(message).toContain('or write inverse_norm')
  })

  test('a model that is not finite, with its name and the tensor', async () => {
    await writeFixture()
    const broken = Object.fromEntries(
      names.map((name) => [name, { shape: elementwise.shape, value: () => (name === names[2] ? Number.NaN : 1) }]),
    )
    await writeModel(at('b'), { config: settings, tensors: broken })
    await expectIssue(mergeIn(folder.path, recipe('metagpt')), 'not-finite', { tensor: names[2]!, name: 'b or base' })
  })

  test('inverse_norm of a model of zeros', async () => {
    await writeFixture()
    const zeros = Object.fromEntries(names.map((name) => [name, { shape: elementwise.shape, value: () => 0 }]))
    await writeModel(at('b'), { config: settings, tensors: zeros })
    await expectIssue(mergeIn(folder.path, recipe('inverse_norm')), 'norm-zero', { name: 'b' })
  })
})
