import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectIssue, mergeIn, prepareIn } from '../__fixtures__/merge.ts'
import { readJson, useFolder, writeLlamas } from '../__fixtures__/models.ts'

const folder = useFolder()
const linear = 'merge_method: linear\nmodels: [{model: chat}, {model: plain}]\nparameters: {weight: 1}\n'
const template = "{% for m in messages %}{{ '<|im_start|>' + m.content + '<|im_end|>' }}{% endfor %}"

/** A tokenizer of six words, and added tokens after them. */
const tokenizer = (...added: string[]) =>
  JSON.stringify({
    model: { type: 'WordLevel', vocab: { u: 0, a: 1, b: 2, c: 3, d: 4, e: 5 }, unk_token: 'u' },
    added_tokens: added.map((content, index) => ({ content, id: 6 + index, special: true })),
  })
const settings = (more: object) => JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast', ...more })

async function writeModels(config: object = {}, chat: Readonly<Record<string, string>> = {}): Promise<void> {
  await writeLlamas(folder.path, {
    chat: {
      rows: 8,
      config: { eos_token_id: 7 },
      files: {
        'tokenizer.json': tokenizer('<|im_start|>', '<|im_end|>'),
        'tokenizer_config.json': settings(config),
        ...chat,
      },
    },
    plain: { rows: 6, files: { 'tokenizer.json': tokenizer() } },
  })
}

describe('where the rows of the donor’s tokens are cut', () => {
  test('a warning names the tokens, what they are for, and the line of the recipe that keeps them', async () => {
    await writeModels({ pad_token: '<|im_start|>' })
    const { warnings, plan } = await prepareIn(folder.path, linear)
    expect(warnings).toEqual([
      '2 tokens of chat have no row in the output: "<|im_start|>", "<|im_end|>"; its embedding is cut to 6 rows, as plain has no more; pad_token is "<|im_start|>"; eos_token_id of config.json is 7; \'tokenizer: {source: base}\' in the recipe keeps them',
    ])
    expect(plan.notes).toEqual([])
    const card = plan.documents.find(({ name }) => name === 'README.md')!.text
    expect(card).toMatch(/## Notes\n\n- 2 tokens of chat have no row in the output: "\\<\|im_start\|>"/)
  })

  test('that line needs a tokenizer.json of each model', async () => {
    await writeModels()
    await rm(join(folder.path, 'plain', 'tokenizer.json'))
    const { warnings } = await prepareIn(folder.path, linear)
    expect(warnings).toEqual([
      expect.stringMatching(
        /'tokenizer: \{source: base\}' in the recipe keeps them, once plain has a tokenizer\.json$/,
      ),
    ])
  })

  test('that line keeps them', async () => {
    await writeModels({ chat_template: template })
    const { warnings, plan } = await prepareIn(folder.path, `${linear}tokenizer: {source: base}\n`)
    expect(warnings).toEqual([])
    expect(plan.tensors.find(({ name }) => name === 'model.embed_tokens.weight')!.shape).toEqual([8, 4])
  })

  test.each<[string, object, Readonly<Record<string, string>>]>([
    ['tokenizer_config.json', { chat_template: template }, {}],
    ['a list of templates', { chat_template: [{ name: 'default', template }] }, {}],
    ['chat_template.jinja', {}, { 'chat_template.jinja': template }],
  ])(
    'a chat template of %s that writes them is an error, and a warning where that is allowed',
    async (_, config, files) => {
      await writeModels(config, files)
      const message = await expectIssue(prepareIn(folder.path, linear), 'template-without-rows')
      expect(message).toMatch(/of chat writes "<\|im_start\|>", "<\|im_end\|>".*tokenizer: \{source: base\}/)
      const { warnings } = await prepareIn(folder.path, linear, { allowMixedArchitectures: true })
      expect(warnings).toEqual([expect.stringContaining('the chat template writes "<|im_start|>", "<|im_end|>"')])
    },
  )

  test('a chosen template counts, and not the donor’s', async () => {
    await writeModels({ chat_template: template })
    const { warnings } = await prepareIn(folder.path, `${linear}chat_template: "{{ messages }}"\n`)
    expect(warnings).toEqual([expect.not.stringContaining('template')])
  })

  test('added tokens are known without a tokenizer.json', async () => {
    await writeModels({}, { 'added_tokens.json': '{"<|im_end|>": 7}', 'tokenizer.json': '', 'tokenizer.model': 'x' })
    await rm(join(folder.path, 'chat', 'tokenizer.json'))
    const { warnings } = await prepareIn(folder.path, linear)
    expect(warnings).toEqual([expect.stringContaining('a token of chat has no row in the output: "<|im_end|>"')])
  })

  test('an id of a config that is beyond the rows is told, though it is that of no token', async () => {
    await writeLlamas(folder.path, {
      chat: { rows: 8, config: { eos_token_id: [2, 7] }, files: { 'tokenizer.json': tokenizer() } },
      plain: { rows: 6, files: { 'tokenizer.json': tokenizer() } },
    })
    const { warnings } = await prepareIn(folder.path, linear)
    expect(warnings).toEqual([
      'chat: its embedding is cut to 6 rows, as plain has no more; eos_token_id of config.json is 7',
    ])
  })

  test('padding is no token, so that the matrices are noted', async () => {
    await writeLlamas(folder.path, {
      chat: { rows: 8, files: { 'tokenizer.json': tokenizer() } },
      plain: { rows: 6, files: { 'tokenizer.json': tokenizer() } },
    })
    const { warnings, plan } = await prepareIn(folder.path, linear)
    expect(warnings).toEqual([])
    expect(plan.notes).toEqual([expect.stringContaining('embed_tokens'), expect.stringContaining('lm_head')])
  })

  test('nothing is said of a tokenizer that is not copied', async () => {
    await writeModels({ chat_template: template })
    expect((await prepareIn(folder.path, linear, { copyTokenizer: false })).warnings).toEqual([])
  })

  test('slices say it, too', async () => {
    await writeModels({ chat_template: template })
    const recipe =
      'merge_method: passthrough\nbase_model: chat\nslices: [{sources: [{model: plain, layer_range: [0, 1]}]}, {sources: [{model: chat, layer_range: [1, 2]}]}]'
    await expectIssue(prepareIn(folder.path, recipe), 'template-without-rows')
  })
})

describe('a chosen chat template', () => {
  const passthrough = 'merge_method: passthrough\nmodels: [{model: plain}]\n'
  const warningsOf = async (recipe: string) => (await prepareIn(folder.path, recipe)).warnings

  test('whose marks are no tokens of the vocabulary is warned of', async () => {
    await writeModels()
    expect(await warningsOf(`${passthrough}chat_template: chatml\n`)).toEqual([
      expect.stringContaining('chat_template writes "<|im_start|>", "<|im_end|>", which are no tokens of'),
    ])
    expect(await warningsOf(`${passthrough}chat_template: "{{ '[INST] ' ~ messages ~ '</s>' }}"\n`)).toEqual([
      expect.stringContaining('"</s>", which is no token'),
    ])
  })

  test('of another model brings marks that a union has', async () => {
    await writeModels({ chat_template: template })
    const recipe = `${linear.replace('[{model: chat}, {model: plain}]', '[{model: plain}, {model: chat}]')}chat_template: auto\n`
    expect(await warningsOf(recipe)).toEqual([
      expect.stringContaining("'tokenizer: {source: union}' in the recipe adds"),
    ])
    expect(await warningsOf(`${recipe}tokenizer: {source: union}\n`)).toEqual([])
  })

  test('whose marks are all tokens is right', async () => {
    await writeModels()
    expect(await warningsOf(`${passthrough.replace('plain', 'chat')}chat_template: chatml\n`)).toEqual([])
  })
})

describe('a donor without a tokenizer', () => {
  const recipe = linear.replace('chat', 'bare')

  test('is noted, with the model whose tokenizer the output can have, which works', async () => {
    await writeLlamas(folder.path, { bare: {}, plain: { files: { 'tokenizer.json': tokenizer() } } })
    expect((await prepareIn(folder.path, recipe)).plan.notes).toEqual([
      'bare has no tokenizer, so the output has none; \'tokenizer: {source: "plain"}\' in the recipe takes that of plain',
    ])
    const { out } = await mergeIn(folder.path, `${recipe}tokenizer: {source: "plain"}\n`)
    expect(await readJson(join(out, 'tokenizer.json'))).toEqual(JSON.parse(tokenizer()))
  })

  test('is noted where a chat template needs one', async () => {
    await writeLlamas(folder.path, { bare: {}, plain: {} })
    expect((await prepareIn(folder.path, `${recipe}chat_template: chatml\n`)).plan.notes).toEqual([
      expect.stringContaining(
        'bare has no tokenizer, so the output has none, and nothing that reads its chat template',
      ),
    ])
  })
})

describe('a small file that is not what its name says', () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n'

  test.each(['tokenizer.json', 'tokenizer.model', 'preprocessor_config.json', 'chat_template.jinja'])(
    'is an error where %s would be copied',
    async (name) => {
      await writeModels({}, { [name]: pointer })
      await expect(prepareIn(folder.path, linear)).rejects.toMatchObject({
        code: 'disguised-file',
        message: expect.stringContaining(join(folder.path, 'chat', name)),
      })
    },
  )

  test('is left out with a note where the output can do without it', async () => {
    await writeModels({}, { 'voices.json': pointer, 'words.txt': 'one' })
    const { out, plan } = await mergeIn(folder.path, `${linear}tokenizer: {source: base}\n`)
    expect(plan.notes).toContainEqual(expect.stringMatching(/voices\.json is a Git LFS pointer.*left out/))
    expect(plan.copies.map(({ name }) => name)).not.toContain('voices.json')
    expect(await readFile(join(out, 'words.txt'), 'utf8')).toBe('one')
  })

  test('is named with its model where a tokenizer setting reads it', async () => {
    await writeModels()
    await writeLlamas(folder.path, { plain: { files: { 'tokenizer.json': pointer } } })
    await expect(prepareIn(folder.path, `${linear}tokenizer: {source: union}\n`)).rejects.toThrow(
      `${join(folder.path, 'plain', 'tokenizer.json')} is a Git LFS pointer`,
    )
    await writeLlamas(folder.path, { plain: { files: { 'tokenizer.json': '{"model": 1}' } } })
    await expect(prepareIn(folder.path, `${linear}tokenizer: {source: union}\n`)).rejects.toThrow(
      `${join(folder.path, 'plain')}/tokenizer.json: `,
    )
  })

  test('is no matter in a model whose tokenizer nobody asks for', async () => {
    await writeModels()
    await writeLlamas(folder.path, { other: { rows: 8, files: { 'tokenizer.json': pointer } } })
    const { warnings } = await prepareIn(folder.path, linear.replace('plain', 'other'))
    expect(warnings).toEqual([])
  })
})
