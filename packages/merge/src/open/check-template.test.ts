import { parseTokenizer, type ModelTokenizer } from '@mk/tokenizer'
import { expect, test } from 'vitest'
import { findSplitMarks } from './check-template.ts'
import type { MergeInputs } from './merge-inputs.ts'
import { type OutputVocabulary, unchangedVocabulary, type VocabularyRows } from './output-vocabulary.ts'

const template = "{% for m in messages %}{{ '<|im_start|>' + m.content + '<|im_end|>' }}{% endfor %}"
/** A tokenizer of two words, and added tokens after them. */
const textOf = (...added: readonly string[]) =>
  JSON.stringify({
    model: { type: 'WordLevel', vocab: { u: 0, a: 1 }, unk_token: 'u' },
    added_tokens: added.map((content, index) => ({ content, id: 2 + index, special: true })),
  })
const parsed = (...added: readonly string[]) =>
  parseTokenizer(
    new Map([
      ['tokenizer.json', textOf(...added)],
      ['chat_template.jinja', template],
    ]),
  )
const marks = ['<|im_start|>', '<|im_end|>'] as const
const rows: VocabularyRows = { kind: 'complete-rows', rowCount: 2, segments: [], embeddingRows: [] }

/** Of a donor without the marks and another model with them. */
function found(vocabulary: Partial<OutputVocabulary>, setting = 'auto') {
  const models: readonly ModelTokenizer[] = [parsed(), parsed(...marks)]
  const inputs = {
    labels: ['plain', 'chat'],
    donor: 0,
    checkpoints: ['/plain', '/chat'].map((folder) => ({ folder, files: [] })),
  }
  const read = (index: number) => Promise.resolve(models[index])
  return findSplitMarks(
    template,
    setting,
    { ...unchangedVocabulary, ...vocabulary },
    {
      inputs: inputs as unknown as MergeInputs,
      tokenizers: { read, readIfSound: read },
    },
  )
}
const copied = (model: string) => ({ copies: [{ name: 'tokenizer.json', from: `/${model}/tokenizer.json` }] })
const written = (name: string, text: string) => ({ documents: [{ name, text }] })

const warning = expect.stringMatching(/^chat_template writes .*<\|im_start\|>.*'tokenizer: \{source: union\}'.*chat$/)

test.each<[string, Partial<OutputVocabulary>]>([
  ['the donor’s', {}],
  ['the donor’s, beside which other files are written', written('tokenizer_config.json', '{}')],
  ['written anew', { ...written('tokenizer.json', textOf()), rows }],
  ['copied', { ...copied('plain'), rows }],
])('marks that a vocabulary (%s) lacks are told', async (_, vocabulary) => {
  expect(await found(vocabulary)).toEqual([warning])
})

test.each<[string, Partial<OutputVocabulary>]>([
  ['written anew with them', { ...written('tokenizer.json', textOf(...marks)), rows }],
  ['copied from the model that has them', { ...copied('chat'), rows }],
  ['written otherwise, of which nothing is known', { ...written('tokenizer_config.json', '{}'), rows }],
  ['copied from elsewhere', { ...copied('nowhere'), rows }],
])('nothing is told of a vocabulary that is %s', async (_, vocabulary) => {
  expect(await found(vocabulary)).toEqual([])
})

test('marks that are no token of any model count only for a template that the recipe has', async () => {
  const text = parsed()
  const read = () => Promise.resolve(text)
  const inputs = { labels: ['plain'], donor: 0, checkpoints: [{ folder: '/plain' }] } as unknown as MergeInputs
  const ofPlain = (setting: string) =>
    findSplitMarks(template, setting, unchangedVocabulary, { inputs, tokenizers: { read, readIfSound: read } })
  expect(await ofPlain('auto')).toEqual([])
  expect(await ofPlain('chatml')).toEqual([
    expect.stringMatching(/they are split into pieces; choose a template that the models were trained with$/),
  ])
})
