import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { builtinMethods } from '@mk/methods'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, planIn, referenceRuntime } from '../__fixtures__/merge.ts'
import { readJson, useFolder, writeLlamas, writeModel } from '../__fixtures__/models.ts'
import { runMerge } from '../node/run-merge.ts'
import type { PlanContext } from './plan-context.ts'
import { outputGenerationConfig, withTokenIds } from './plan-documents.ts'

const folder = useFolder()
const passthrough = 'merge_method: passthrough\nmodels: [{model: a}]'
const files = {
  'tokenizer.json': '{"a":1}',
  'tokenizer_config.json': '{}',
  'generation_config.json': '{"eos_token_id":2}',
  'preprocessor_config.json': '{}',
}

describe('an output has', () => {
  test('the recipe as it was written, the config, and the donor’s small files byte for byte', async () => {
    await writeLlamas(folder.path, { a: { files, config: { rope_theta: 1e6, odd: { key: [1, 2] } } } })
    const recipe = `# mine\n${passthrough} # indeed\n`
    const { out } = await mergeIn(folder.path, recipe)
    expect((await readdir(out)).toSorted()).toEqual([
      'README.md',
      'config.json',
      'generation_config.json',
      'mergekit_config.yml',
      'model.safetensors',
      'preprocessor_config.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ])
    expect(await readFile(join(out, 'mergekit_config.yml'), 'utf8')).toBe(recipe)
    for (const [name, text] of Object.entries(files)) expect(await readFile(join(out, name), 'utf8')).toBe(text)
    expect(await readJson(join(out, 'config.json'))).toEqual(await readJson(join(folder.path, 'a', 'config.json')))
  })

  test('no tokenizer and no model card where that is asked', async () => {
    const others = ['encoder.json', 'vocab.bpe', 'tekken.json', 'sentencepiece.bpe.model', 'qwen.tiktoken', 'a.jinja']
    await writeLlamas(folder.path, {
      a: { files: { ...files, ...Object.fromEntries(others.map((name) => [name, '{}'])) } },
    })
    const { out } = await mergeIn(folder.path, passthrough, {
      prepare: { copyTokenizer: false, writeModelCard: false },
    })
    expect((await readdir(out)).toSorted()).toEqual([
      'config.json',
      'generation_config.json',
      'mergekit_config.yml',
      'model.safetensors',
      'preprocessor_config.json',
    ])
  })

  test('the united vocabulary in one form, of models whose configs have infinite numbers', async () => {
    const vocabulary = (...tokens: string[]) =>
      JSON.stringify({
        model: { type: 'WordLevel', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), unk_token: 'u' },
        added_tokens: [],
      })
    const stale = { 'encoder.json': '{}', 'vocab.bpe': '', 'qwen.tiktoken': '' }
    await writeLlamas(folder.path, {
      a: { rows: 3, files: { ...stale, 'tokenizer.json': vocabulary('u', 'x', 'y') } },
      b: { rows: 3, files: { 'tokenizer.json': vocabulary('u', 'x', 'z') } },
    })
    const config = join(folder.path, 'a', 'config.json')
    await writeFile(config, (await readFile(config, 'utf8')).replace('{', '{"limit":[0.0,Infinity],'))
    const recipe = 'merge_method: linear\nmodels: [{model: a}, {model: b}]\nparameters: {weight: 1}\n'
    const { out } = await mergeIn(folder.path, `${recipe}tokenizer_source: union`)
    expect((await readdir(out)).filter((name) => name in stale)).toEqual([])
    const { vocab } = (await readJson(join(out, 'tokenizer.json')))['model'] as { vocab: object }
    expect(Object.keys(vocab)).toHaveLength(4)
    expect(await readFile(join(out, 'config.json'), 'utf8')).toContain('"limit": [\n    0.0,\n    Infinity\n  ]')
  })

  test('a chat template in place of the donor’s', async () => {
    await writeLlamas(folder.path, { a: { files: { ...files, 'tokenizer_config.json': '{"chat_template":"old"}' } } })
    const { out } = await mergeIn(folder.path, `${passthrough}\nchat_template: "{{ messages }}"`)
    const config = await readJson(join(out, 'tokenizer_config.json'))
    expect(JSON.stringify(config) + (await readdir(out)).join()).not.toContain('old')
  })

  test('a chat template in the file of its own that processors read, too', async () => {
    await writeLlamas(folder.path, { a: { files: { ...files, 'chat_template.json': '{"chat_template":"old"}' } } })
    const { out } = await mergeIn(folder.path, `${passthrough}\nchat_template: "{{ messages }}"`)
    const names = await readdir(out)
    const texts = await Promise.all(names.map((name) => readFile(join(out, name), 'utf8')))
    expect(texts.filter((text) => text.includes('"old"'))).toEqual([])
    expect(texts.filter((text) => text.includes('{{ messages }}')).length).toBeGreaterThan(1)
  })

  test('what the automatic chat template could not be, in a note', async () => {
    await writeLlamas(folder.path, { a: { files } })
    expect((await planIn(folder.path, `${passthrough}\nchat_template: auto`)).notes).toEqual([
      'chat_template is auto, but no model has a chat template',
    ])
  })
})

describe('files named instead of folders', () => {
  const tensors = {
    'down.0.conv.weight': { shape: [2, 3] },
    'down.1.conv.weight': { shape: [2, 3] },
    'mid.weight': { shape: [4] },
  }

  test('merge into weights, recipe and card, without a config.json', async () => {
    await writeModel(join(folder.path, 'x'), { tensors, seed: 1 })
    await writeModel(join(folder.path, 'y'), { tensors, seed: 2 })
    const { out, tensors: merged } = await mergeIn(
      folder.path,
      'merge_method: linear\nparameters: {weight: 1}\nmodels: [{model: x/model.safetensors}, {model: y/model.safetensors}]',
    )
    expect((await readdir(out)).toSorted()).toEqual(['README.md', 'mergekit_config.yml', 'model.safetensors'])
    expect(Object.keys(merged)).toEqual(Object.keys(tensors))
    expect(await readFile(join(out, 'README.md'), 'utf8')).not.toContain('transformers')
  })

  test.each(['tokenizer_source: union', 'tokenizer: {source: union}'])(
    'have no tokenizer to build from: %s',
    async (setting) => {
      await writeModel(join(folder.path, 'x'), { tensors })
      const at = setting.indexOf(':') + 3
      await expectIssue(
        planIn(folder.path, `merge_method: passthrough\n${setting}\nmodels: [{model: x/model.safetensors}]`),
        'no-model-folder',
        { model: 'x/model.safetensors', where: `${join(folder.path, 'recipe.yml')}:2:${at}` },
      )
    },
  )
})

test('a tokenizer setting without token embeddings is refused', async () => {
  await writeModel(join(folder.path, 'a'), {
    config: { model_type: 'odd' },
    files,
    tensors: { 'layers.0.w': { shape: [2] }, 'layers.0.v': { shape: [2] } },
  })
  await expectIssue(planIn(folder.path, `${passthrough}\ntokenizer_source: base`), 'no-embedding', {
    model: 'a',
    where: expect.stringMatching(/recipe\.yml:\d+:19$/) as never,
  })
})

test('a broken generation_config.json is copied where nothing must be changed in it', async () => {
  await writeLlamas(folder.path, { a: { files: { ...files, 'generation_config.json': '{' } } })
  await expect(mergeIn(folder.path, passthrough)).resolves.toBeDefined()
})

test('a plan that was stored runs later', async () => {
  await writeLlamas(folder.path, { a: {} })
  const plan = JSON.parse(JSON.stringify(await planIn(folder.path, passthrough)))
  await writeFile(join(folder.path, 'plan.json'), JSON.stringify(plan))
  const result = await runMerge(plan, {
    out: join(folder.path, 'later'),
    methods: builtinMethods,
    runtime: referenceRuntime,
    threads: 0,
  })
  expect(result.tensorCount).toBe(9)
})

describe('ids of tokens', () => {
  const changes = [
    { file: 'config.json', path: ['eos_token_id'], from: 2, to: 7 },
    { file: 'config.json', path: ['text_config', 'deep', 'pad_token_id'], from: 0, to: [8, 9] },
    { file: 'generation_config.json', path: ['eos_token_id'], from: 2, to: 5 },
  ] as unknown as Parameters<typeof withTokenIds>[2]
  const config = { eos_token_id: 2, text_config: { deep: { pad_token_id: 0 }, eos_token_id: 1 }, other: 3 }

  test('of another vocabulary stand where those of the old one did, in the file that they are for', () => {
    const before = structuredClone(config)
    expect(withTokenIds(config, 'config.json', changes)).toEqual({
      eos_token_id: 7,
      text_config: { deep: { pad_token_id: [8, 9] }, eos_token_id: 1 },
      other: 3,
    })
    expect(withTokenIds(config, 'generation_config.json', changes)).toEqual({ ...config, eos_token_id: 5 })
    expect(config).toEqual(before)
  })

  test('make a generation_config.json anew only where they change', () => {
    const text = '{"eos_token_id": 2, "temperature": 0.60}'
    const generation = { name: 'generation_config.json', text, value: JSON.parse(text) as object }
    const context = (tokenIds: readonly object[], documents = new Map([[generation.name, generation]])) =>
      ({
        inputs: { donor: 0, checkpoints: [{ documents }] },
        options: { vocabulary: { tokenIds } },
      }) as unknown as PlanContext
    expect(outputGenerationConfig(context(changes))).toMatch(/"eos_token_id": 5,\s+"temperature": 0\.60/)
    expect(outputGenerationConfig(context(changes.slice(0, 2)))).toBeUndefined()
    expect(outputGenerationConfig(context(changes, new Map()))).toBeUndefined()
  })
})
