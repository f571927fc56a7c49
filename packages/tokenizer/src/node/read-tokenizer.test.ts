import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { planVocabulary, TokenizerError } from '../index.ts'
import { readChatTemplate, readTokenizer } from './index.ts'

const example = (name: string): string => fileURLToPath(new URL(`../../../../examples/models/${name}`, import.meta.url))

describe('readTokenizer', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'read-tokenizer-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('reads a real model: tokens, special tokens, template and ids', async () => {
    const folder = example('tiny-prose')
    const value = JSON.parse(await readFile(join(folder, 'generation_config.json'), 'utf8')) as Record<string, unknown>
    const tokenizer = await readTokenizer(folder, new Map([['generation_config.json', { value }]]))
    expect(tokenizer).toMatchObject({
      kind: 'byte-level-bpe',
      files: ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'],
    })
    expect(tokenizer.specialTokens.get('bos_token')).toBe('<s>')
    expect(tokenizer.chatTemplate?.text).toContain('<|im_start|>')
    expect(tokenizer.tokenIds).toContainEqual({ file: 'generation_config.json', path: ['eos_token_id'], ids: 2 })
  })

  it('tells equal sentencepiece models from others', async () => {
    const read = async (bytes: Uint8Array) => {
      await writeFile(join(folder, 'tokenizer.model'), bytes)
      return readTokenizer(folder)
    }
    const [one, again, other] = [
      await read(Uint8Array.of(1, 2)),
      await read(Uint8Array.of(1, 2)),
      await read(Uint8Array.of(1, 3)),
    ]
    expect(one).toMatchObject({ kind: 'sentencepiece-only', files: ['tokenizer.model'] })
    expect(one).toEqual(again)
    expect(one).not.toEqual(other)
  })

  it('lists every file of the tokenizer, those that it does not read too', async () => {
    const names = ['encoder.json', 'qwen.tiktoken', 'vocab.bpe', 'tekken.json', 'README.md', 'tokenization_x.py']
    await mkdir(join(folder, 'additional_chat_templates'))
    await mkdir(join(folder, 'a.model'))
    await symlink(join(folder, 'nowhere'), join(folder, 'vocab.json'))
    for (const name of [...names, 'additional_chat_templates/rag.jinja']) await writeFile(join(folder, name), '')
    expect((await readTokenizer(folder)).files).toEqual([
      'tekken.json',
      'qwen.tiktoken',
      'encoder.json',
      'vocab.bpe',
      'additional_chat_templates/rag.jinja',
    ])
  })

  it('finds nothing in an empty folder', async () => {
    expect((await readTokenizer(folder)).kind).toBe('missing')
    expect(await readChatTemplate(folder)).toBeUndefined()
  })

  it('names the damaged file', async () => {
    await writeFile(join(folder, 'tokenizer.json'), '{"model":')
    await expect(readTokenizer(folder)).rejects.toThrow(TokenizerError)
    await expect(readTokenizer(folder)).rejects.toThrow(`${folder}/tokenizer.json: not valid JSON`)
    await writeFile(join(folder, 'tokenizer_config.json'), '[]')
    await expect(readChatTemplate(folder)).rejects.toThrow(`${folder}/tokenizer_config.json: the file must be`)
  })

  it('names what cannot be read', async () => {
    await mkdir(join(folder, 'chat_template.jinja'))
    await expect(readChatTemplate(folder)).rejects.toMatchObject({
      code: 'tokenizer-unreadable',
      fault: 'failure',
      issue: { file: join(folder, 'chat_template.jinja'), reason: 'it is a folder, not a file' },
    })
    await expect(readTokenizer(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'tokenizer-unreadable' })
  })

  it('reads a chat template without the vocabulary', async () => {
    await writeFile(join(folder, 'tokenizer.json'), 'not read')
    await writeFile(join(folder, 'tokenizer_config.json'), '{"chat_template": "{{ x }}"}')
    expect(await readChatTemplate(folder)).toEqual({ text: '{{ x }}', file: 'tokenizer_config.json' })
  })
})

it('two models that differ in two added tokens need a decision for just these', async () => {
  const names = ['tiny-base', 'tiny-prose', 'tiny-code']
  const rows = { 'tiny-base': 1536, 'tiny-prose': 1538, 'tiny-code': 1536 }
  const models = await Promise.all(
    names.map(async (label) => ({
      label,
      tokenizer: await readTokenizer(example(label)),
      embeddingRows: rows[label as keyof typeof rows],
    })),
  )
  const plan = planVocabulary({
    models,
    baseIndex: 0,
    setting: { kind: 'complete-rows', source: { kind: 'union' }, tokens: [] },
  })
  expect(plan.rowCount).toBe(1538)
  expect(plan.decisions.map(({ token, rule }) => [token, rule])).toEqual([
    ['<|im_start|>', { kind: 'only', model: 1 }],
    ['<|im_end|>', { kind: 'only', model: 1 }],
  ])
  expect(plan.models[2]!.segments).toEqual([
    { kind: 'copy', rowCount: 1536, source: 2, row: 0 },
    { kind: 'copy', rowCount: 2, source: 1, row: 1536 },
  ])
})
