import { nodeFiles } from '@mk/source/node'
import { describe, expect, test } from 'vitest'
import { expectIssue, planIn, prepareIn } from '../__fixtures__/merge.ts'
import { type LlamaOptions, useFolder, writeLlamas } from '../__fixtures__/models.ts'
import type { MergeInputs } from './merge-inputs.ts'
import { openTokenizers } from './read-tokenizers.ts'
import { readVocabulary } from './read-vocabulary.ts'

const folder = useFolder()
const tokenizer = (...added: readonly string[]) =>
  JSON.stringify({
    model: { type: 'WordLevel', vocab: { u: 0, a: 1, b: 2, c: 3, d: 4, e: 5 }, unk_token: 'u' },
    added_tokens: added.map((content, index) => ({ content, id: 6 + index, special: true })),
  })
const settings = (template?: string) =>
  JSON.stringify({ model_max_length: 7, ...(template !== undefined && { chat_template: template }) })
const model = (config: string, ...added: readonly string[]): LlamaOptions => ({
  rows: 6 + added.length,
  files: { 'tokenizer.json': tokenizer(...added), 'tokenizer_config.json': config },
})
const linear = (...models: readonly string[]) =>
  `merge_method: linear\nparameters: {weight: 1}\nmodels: [${models.map((name) => `{model: ${name}}`).join(', ')}]\n`
const documentIn = ({ documents }: Awaited<ReturnType<typeof planIn>>, name: string) =>
  documents.find((document) => document.name === name)?.text
const asked = 'chat_template: "{{ asked }}"\n'

describe('a chat template that the recipe asks for', () => {
  test('takes the place of the donor’s own, in every file that has one', async () => {
    const old = JSON.stringify({ chat_template: '{{ old }}' })
    const files = {
      'tokenizer.json': tokenizer(),
      'tokenizer_config.json': settings('{{ own }}'),
      'chat_template.json': old,
    }
    await writeLlamas(folder.path, { a: { files } })
    const plan = await planIn(folder.path, linear('a') + asked)
    expect(documentIn(plan, 'chat_template.jinja')).toBe('{{ asked }}')
    expect(documentIn(plan, 'tokenizer_config.json')).toContain('"model_max_length": 7')
    const all = plan.documents.filter(({ name }) => /^(tokenizer|chat)/.test(name)).map(({ text }) => text)
    expect(all.join('\n')).not.toMatch(/\{\{ (own|old) \}\}/)
    expect(plan.copies.map(({ name }) => name)).toEqual(['tokenizer.json'])
  })

  test('of a merge that is made of another one goes into the settings that this one has', async () => {
    await writeLlamas(folder.path, { a: model(settings('{{ own }}'), '<s>'), b: model(settings('{{ other }}')) })
    const inner = `name: inner\n${linear('a', 'b')}tokenizer: {source: union}\n`
    for (const chain of [inner, `name: inner\n${linear('a')}`]) {
      const plan = await planIn(folder.path, `${chain}---\n${linear('inner')}${asked}`)
      expect(documentIn(plan, 'tokenizer_config.json')).toContain('"model_max_length": 7')
      expect(documentIn(plan, 'tokenizer_config.json')).not.toContain('own')
    }
  })

  test('goes into the settings of a vocabulary that comes from another model', async () => {
    await writeLlamas(folder.path, {
      a: model(settings('{{ own }}')),
      b: model(settings('{{ other }}').replace('7', '9'), '<s>'),
    })
    const plan = await planIn(folder.path, `${linear('a', 'b')}tokenizer: {source: b}\n${asked}`)
    expect(documentIn(plan, 'tokenizer_config.json')).toContain('"model_max_length": 9')
    expect(documentIn(plan, 'tokenizer_config.json')).not.toContain('other')
    expect(plan.copies.map(({ name }) => name)).not.toContain('tokenizer_config.json')
  })

  test('is that of the models where that is asked for; where none has one, it is said', async () => {
    await writeLlamas(folder.path, { a: model(settings('{{ own }}')), b: model(settings()) })
    const auto = 'chat_template: auto\n'
    expect(documentIn(await planIn(folder.path, linear('a') + auto), 'chat_template.jinja')).toBe('{{ own }}')
    const { notes } = await planIn(folder.path, linear('b') + auto)
    expect(notes).toContain('chat_template is auto, but no model has a chat template')
  })

  test('is not written where the tokenizer’s files are not wanted', async () => {
    await writeLlamas(folder.path, { a: model(settings('{{ own }}')) })
    const plan = await planIn(folder.path, linear('a') + asked, { copyTokenizer: false })
    expect(documentIn(plan, 'chat_template.jinja')).toBeUndefined()
  })
})

describe('a file of settings that can’t be read when the template is put into it', () => {
  /** Reads the vocabulary where the file is another one from its second reading on. */
  async function readWhere(found: { readonly byteCount?: number; readonly error?: Error }) {
    await writeLlamas(folder.path, { a: model(settings()) })
    const { config, inputs } = await prepareIn(folder.path, linear('a') + asked)
    let readings = 0
    const store: MergeInputs['store'] = {
      ...nodeFiles,
      withFile: (path, use) =>
        nodeFiles.withFile(path, (file) => {
          if (!path.endsWith('tokenizer_config.json') || readings++ === 0) return use(file)
          if (found.error !== undefined) throw found.error
          return use({ ...file, byteCount: found.byteCount!, read: () => Promise.reject(new Error('it is read')) })
        }),
    }
    const changed = { ...inputs, store }
    return readVocabulary(config, { inputs: changed, tokenizers: openTokenizers(changed) }, true)
  }

  test('is named, with the system’s reason', async () => {
    const error = Object.assign(new Error('EIO'), { code: 'EIO', errno: -5, syscall: 'read' })
    const message = await expectIssue(readWhere({ error }), 'copy-unreadable')
    expect(message).toContain('tokenizer_config.json')
  })

  test('is an error as it comes where it is no system’s', async () => {
    await expect(readWhere({ error: new RangeError('of the store') })).rejects.toThrow(new RangeError('of the store'))
  })

  test('has at most 64 MiB', async () => {
    await expect(readWhere({ byteCount: 2 ** 26 })).rejects.toThrow('it is read')
    await expect(readWhere({ byteCount: 2 ** 26 + 1 })).rejects.toMatchObject({ code: 'file-too-long' })
  })
})

describe('a tokenizer setting', () => {
  const union = 'tokenizer: {source: union}\n'

  test('needs a folder and an embedding, and says which model lacks it', async () => {
    await writeLlamas(folder.path, { a: model(settings()), b: model(settings()) })
    const { config, inputs } = await prepareIn(folder.path, linear('a', 'b') + union)
    const read = (of: (input: number) => object, tokenizer: object = config.tokenizer!) => {
      const checkpoints = inputs.checkpoints.map((checkpoint, input) => ({ ...checkpoint, ...of(input) }))
      const changed = { ...inputs, checkpoints }
      const asked = { ...config, tokenizer } as typeof config
      return readVocabulary(asked, { inputs: changed, tokenizers: openTokenizers(inputs) }, true)
    }
    const withoutFolder = (input: number) => (input === 1 ? { folder: undefined } : {})
    const withoutTensors = (input: number) => (input === 1 ? { tensors: new Map() } : {})
    const where = expect.stringMatching(/recipe\.yml:4:\d+$/)
    await expectIssue(read(withoutFolder), 'no-model-folder', { model: 'b', where })
    await expectIssue(read(withoutTensors), 'no-embedding', { model: 'b', where })
    expect((await read(() => ({}))).rows).toMatchObject({ kind: 'complete-rows', embeddingRows: [6, 6] })
  })

  test.each([
    ['tokenizer: {source: union}', 4],
    ['tokenizer_source: union', 4],
  ])('is told by its place: %s', async (line, at) => {
    await writeLlamas(folder.path, { a: model(settings()), b: { without: ['model.embed_tokens.weight'] } })
    const message = await expectIssue(planIn(folder.path, `${linear('a', 'b')}${line}\n`), 'no-embedding')
    expect(message).toMatch(new RegExp(`recipe\\.yml:${at}:\\d+`))
  })

  test('takes files that are copied from the model that they are of, and leaves out the donor’s', async () => {
    const vocabulary = {
      ...model(settings(), '<s>'),
      files: { ...model(settings(), '<s>').files, 'merges.txt': 'of b' },
    }
    await writeLlamas(folder.path, {
      a: { ...model(settings()), files: { ...model(settings()).files, 'vocab.txt': 'of a' } },
      b: vocabulary,
    })
    const plan = await planIn(folder.path, `${linear('a', 'b')}tokenizer: {source: b}\n`)
    const names = [...plan.documents, ...plan.copies].map(({ name }) => name)
    expect(names).not.toContain('vocab.txt')
    expect(plan.copies.find(({ name }) => name === 'tokenizer.json')?.from).toMatch(/b\/tokenizer\.json$/)
  })
})
