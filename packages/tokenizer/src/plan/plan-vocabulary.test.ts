import { describe, expect, it } from 'vitest'
import { smallTokenizer, tokenizerJson } from '../__fixtures__/small-tokenizer.ts'
import {
  type ModelTokenizer,
  parseTokenizer,
  planVocabulary,
  TokenizerError,
  type TokenizerIssue,
  type TokenizerSetting,
  type VocabularyInput,
  type VocabularyPlan,
} from '../index.ts'

type Json = Record<string, unknown>

const model = (tokenizer: ModelTokenizer, embeddingRows?: number, label = 'model'): VocabularyInput => ({
  label,
  tokenizer,
  embeddingRows: embeddingRows ?? ('ids' in tokenizer ? tokenizer.ids.size : 0),
})
const bpe = (tokens: readonly string[], added: readonly (string | Json)[] = [], rows?: number): VocabularyInput =>
  model(smallTokenizer(tokenizerJson(tokens, added)), rows)
const union: TokenizerSetting = { kind: 'complete-rows', source: { kind: 'union' }, tokens: [] }
const averagedUnion: TokenizerSetting = { kind: 'average-rows', source: { kind: 'union' } }
const ofBase: TokenizerSetting = { kind: 'complete-rows', source: { kind: 'base' }, tokens: [] }
const written = (plan: VocabularyPlan) => smallTokenizer(plan.write.get('tokenizer.json')!)

function issueOf(run: () => unknown): TokenizerIssue {
  try {
    run()
  } catch (error) {
    if (error instanceof TokenizerError) return error.issue
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('the tokens of a union', () => {
  it('are the base’s, then the others’ ordinary tokens, then their added tokens', () => {
    const plan = planVocabulary({
      models: [bpe(['a', 'b'], ['<x>']), bpe(['b', 'c'], ['<y>']), bpe(['d', 'a', 'c'], ['<x>', '<z>'])],
      setting: union,
    })
    expect(plan.tokens).toEqual(['a', 'b', '<x>', 'c', 'd', '<y>', '<z>'])
    expect([...written(plan).ids].sort((p, q) => p[1] - q[1]).map(([token]) => token)).toEqual(plan.tokens)
  })

  it('begin with base_model’s, wherever it stands', () => {
    const plan = planVocabulary({ models: [bpe(['a']), bpe(['b'])], baseIndex: 1, setting: union })
    expect(plan.tokens).toEqual(['b', 'a'])
    expect(plan.donor).toBe(1)
  })

  it('leave out tokens beyond a model’s rows, also the base’s', () => {
    const plan = planVocabulary({
      models: [bpe(['a', 'b'], ['<x>'], 1), bpe(['a', 'c'], ['<x>', '<y>'], 3)],
      setting: union,
    })
    expect(plan.tokens).toEqual(['a', 'c', '<x>'])
    expect(plan.notes).toMatchObject([
      { code: 'tokens-without-row', model: 0, tokens: ['b', '<x>'] },
      { code: 'tokens-without-row', model: 1, tokens: ['<y>'] },
    ])
    expect(written(plan).added.get('<x>')).toMatchObject({ id: 2, special: true })
  })

  it('drop the merges of tokens that are left out', () => {
    const base = model(
      smallTokenizer(
        tokenizerJson(['a', 'b', 'ab', 'abb'], [], {
          merges: [
            ['a', 'b'],
            ['ab', 'b'],
          ],
        }),
      ),
      3,
    )
    const plan = planVocabulary({ models: [base], setting: union })
    expect(written(plan).document.model['merges']).toEqual([['a', 'b']])
  })

  it('keep holes of the base, and never fill them', () => {
    const holed = model(smallTokenizer(tokenizerJson([], [], { vocab: { a: 0, b: 3 } })), 4)
    const plan = planVocabulary({ models: [holed, bpe(['c'], ['<x>'])], setting: union })
    expect(plan.tokens).toEqual(['a', undefined, undefined, 'b', 'c', '<x>'])
    expect(plan.models[0]!.segments[1]).toEqual({ kind: 'mean-of-others', rowCount: 2 })
    expect(written(plan).ids.get('<x>')).toBe(5)
    expect(written(plan).addedOnly.size).toBe(0)
  })

  it('take flags from the first model that defines them', () => {
    const plan = planVocabulary({
      models: [
        bpe(['a']),
        bpe(['a'], [{ content: '<x>', lstrip: true }]),
        bpe(['a'], [{ content: '<x>', rstrip: true }]),
      ],
      setting: union,
    })
    expect(written(plan).added.get('<x>')).toMatchObject({ lstrip: true, rstrip: false })
    expect(plan.warnings).toEqual([
      { code: 'special-flags-differ', tokens: [{ token: '<x>', models: [1, 2], flags: ['lstrip', 'rstrip'] }] },
    ])
  })

  it('mark an ordinary token of the base that another model marks, unless it is plain text', () => {
    const base = model(smallTokenizer(tokenizerJson(['<', 'x', '>', '<x>', 'xx'], [], { merges: [['x', 'x']] })))
    const marks = [
      { content: '<x>', special: false },
      { content: 'xx', special: false },
    ]
    const plan = planVocabulary({ models: [base, bpe(['x'], marks)], setting: union })
    expect([...written(plan).added.keys()]).toEqual(['<x>'])
    expect(written(plan).added.get('<x>')!.id).toBe(3)
  })

  it('hide what would be found in text: white space that another model added', () => {
    const plan = planVocabulary({ models: [bpe(['a']), bpe(['a'], ['  '])], setting: union })
    expect(written(plan).added.size).toBe(0)
    expect(plan.tokens).toEqual(['a', '  '])
    expect(plan.warnings).toEqual([{ code: 'blank-added-tokens', tokens: ['  '] }])
  })

  it('keep the name of a single character that the base could not write at all', () => {
    const plan = planVocabulary({ models: [bpe(['a']), bpe(['é'])], setting: union })
    expect([...written(plan).ids.keys()]).toEqual(['a', 'é'])
  })

  it('never give two tokens one stored name', () => {
    const base = model(smallTokenizer(tokenizerJson(['a'], [], { byte_fallback: true })))
    const plan = planVocabulary({ models: [base, bpe(['é', 'é\uFDD0', 'é\uFDD0\uFDD0'])], setting: union })
    expect(written(plan).ids.size).toBe(4)
  })
})

describe('the rows of `tokenizer`', () => {
  const models = [bpe(['a', 'b', 'c']), bpe(['a', 'b', 'd', 'e']), bpe(['e', 'd', 'f', 'a'])]
  const ruleOf = (plan: VocabularyPlan, token: string) =>
    plan.decisions.find((decision) => decision.token === token)?.rule

  it('are a model’s own; else the only one; else the base’s', () => {
    const plan = planVocabulary({ models, baseIndex: 0, setting: union })
    expect(plan.tokens).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
    expect(plan.models[2]!.segments).toEqual([
      { kind: 'copy', rowCount: 1, source: 2, row: 3 },
      { kind: 'copy', rowCount: 2, source: 0, row: 1 },
      { kind: 'copy', rowCount: 1, source: 2, row: 1 },
      { kind: 'copy', rowCount: 1, source: 2, row: 0 },
      { kind: 'copy', rowCount: 1, source: 2, row: 2 },
    ])
    expect(ruleOf(plan, 'b')).toEqual({ kind: 'base', model: 0 })
    expect(ruleOf(plan, 'c')).toEqual({ kind: 'only', model: 0 })
    expect(ruleOf(plan, 'a')).toBeUndefined()
  })

  it('are else the mean over the models that have it, as always where no base is named', () => {
    const plan = planVocabulary({ models, baseIndex: 0, setting: union })
    expect(plan.models[0]!.segments.filter(({ kind }) => kind === 'mean')).toEqual([
      {
        kind: 'mean',
        rowCount: 1,
        of: [
          { source: 1, row: 2 },
          { source: 2, row: 1 },
        ],
      },
      {
        kind: 'mean',
        rowCount: 1,
        of: [
          { source: 1, row: 3 },
          { source: 2, row: 0 },
        ],
      },
    ])
    expect(ruleOf(planVocabulary({ models, setting: union }), 'b')).toEqual({ kind: 'mean', models: [0, 1] })
  })

  it('are else zeros, with a warning', () => {
    const plan = planVocabulary({ models, setting: { ...ofBase, tokens: [{ token: '<new>', force: false }] } })
    expect(plan.tokens).toEqual(['a', 'b', 'c', '<new>'])
    expect(plan.models.map(({ segments }) => segments.at(-1))).toEqual(
      models.map(() => ({ kind: 'zero', rowCount: 1 })),
    )
    expect(plan.warnings).toEqual([{ code: 'zero-rows', tokens: ['<new>'] }])
    expect(written(plan).added.get('<new>')).toMatchObject({ id: 3, special: false, normalized: true })
  })

  it('come from the configured source, by force also where a model has one', () => {
    const setting = (force: boolean): TokenizerSetting => ({
      ...union,
      tokens: [{ token: 'b', source: { kind: 'model_token', model: 2, token: 'f' }, force }],
    })
    const rowsOfB = (force: boolean) =>
      planVocabulary({ models, baseIndex: 0, setting: setting(force) }).models.map(({ segments }) => rowOf(segments, 1))
    expect(rowsOfB(false)).toEqual(['0:1', '1:1', '2:2'])
    expect(rowsOfB(true)).toEqual(['2:2', '2:2', '2:2'])
  })

  it('come from a model, a row by number, or are zero', () => {
    const rowOfC = (
      source: NonNullable<Extract<TokenizerSetting, { kind: 'complete-rows' }>['tokens'][number]['source']>,
    ) =>
      rowOf(
        planVocabulary({ models, setting: { ...union, tokens: [{ token: 'c', source, force: true }] } }).models[1]!
          .segments,
        2,
      )
    expect(rowOfC({ kind: 'model', model: 0 })).toBe('0:2')
    expect(rowOfC({ kind: 'model_token', model: 1, tokenId: 3 })).toBe('1:3')
    expect(rowOfC({ kind: 'zero' })).toBe('zero')
  })

  it('may come from a row that no token has', () => {
    const padded = bpe(['a'], [], 8)
    const plan = planVocabulary({
      models: [padded],
      setting: {
        ...ofBase,
        tokens: [{ token: 'a', source: { kind: 'model_token', model: 0, tokenId: 7 }, force: true }],
      },
    })
    expect(rowOf(plan.models[0]!.segments, 0)).toBe('0:7')
  })

  it('are padded with the mean of the real rows', () => {
    const plan = planVocabulary({ models, setting: { ...union, padToMultipleOf: 8 } })
    expect(plan.rowCount).toBe(8)
    for (const { segments } of plan.models) expect(segments.at(-1)).toEqual({ kind: 'mean-of-others', rowCount: 2 })
  })

  it('join into runs', () => {
    const plan = planVocabulary({ models: [models[0]!, models[0]!], setting: union })
    expect(plan.models[1]!.segments).toEqual([{ kind: 'copy', rowCount: 3, source: 1, row: 0 }])
    expect(plan.decisions).toEqual([])
  })
})

describe('rows beyond the tokenizer', () => {
  const tokens = ['a', 'b']
  it('stay where the vocabulary does not change', () => {
    const plan = planVocabulary({ models: [bpe(tokens, [], 6), bpe(tokens, [], 5)], setting: union })
    expect(plan.rowCount).toBe(6)
    expect(plan.models.map(({ segments }) => segments)).toEqual([
      [{ kind: 'copy', rowCount: 6, source: 0, row: 0 }],
      [
        { kind: 'copy', rowCount: 5, source: 1, row: 0 },
        { kind: 'mean-of-others', rowCount: 1 },
      ],
    ])
    expect([...plan.write]).toEqual([])
  })

  it('are the mean for a model with other tokens, and stay the base’s with `tokenizer_source`', () => {
    const models = [bpe(tokens, [], 4), bpe(['b', 'a'], [], 4)]
    expect(planVocabulary({ models, setting: ofBase }).models[1]!.segments.at(-1)).toEqual({
      kind: 'mean-of-others',
      rowCount: 2,
    })
    const averaged = planVocabulary({ models, setting: { kind: 'average-rows', source: { kind: 'base' } } })
    expect(averaged.models.map(({ presence }) => [...presence])).toEqual([
      [1, 1, 1, 1],
      [1, 1, 0, 0],
    ])
  })

  it('make room for new tokens where it changes', () => {
    const plan = planVocabulary({ models: [bpe(tokens, [], 6), bpe(tokens, ['<x>'], 6)], setting: union })
    expect(plan.tokens).toEqual(['a', 'b', '<x>'])
    expect(plan.rowCount).toBe(3)
  })

  it('count as rows to pad', () => {
    expect(planVocabulary({ models: [bpe(tokens, [], 6)], setting: { ...ofBase, padToMultipleOf: 4 } }).rowCount).toBe(
      8,
    )
  })
})

describe('the rows of `tokenizer_source`', () => {
  it('are a model’s own or absent', () => {
    const plan = planVocabulary({ models: [bpe(['a', 'b']), bpe(['b', 'c']), bpe(['b'])], setting: averagedUnion })
    expect(plan.tokens).toEqual(['a', 'b', 'c'])
    expect(plan.models.map(({ presence }) => [...presence])).toEqual([
      [1, 1, 0],
      [0, 1, 1],
      [0, 1, 0],
    ])
    expect(plan.models[1]!.segments).toEqual([
      { kind: 'zero', rowCount: 1 },
      { kind: 'copy', rowCount: 2, source: 1, row: 0 },
    ])
    expect(plan.decisions.map(({ token, rule }) => [token, rule.kind])).toEqual([
      ['a', 'only'],
      ['c', 'only'],
    ])
  })

  it('are shared by the models that have the token', () => {
    const plan = planVocabulary({ models: [bpe(['a']), bpe(['b']), bpe(['b'])], setting: averagedUnion })
    expect(plan.decisions[1]!.rule).toEqual({ kind: 'shared', models: [1, 2] })
  })
})

describe('the files of the output', () => {
  const config = {
    'tokenizer_config.json': { bos_token: '<s>', added_tokens_decoder: { 2: { content: '<s>', special: true } } },
    'added_tokens.json': { '<s>': 2 },
    'special_tokens_map.json': { bos_token: '<s>' },
    'vocab.json': '',
    'merges.txt': '',
    'encoder.json': '',
    'vocab.bpe': '',
    'qwen.tiktoken': '',
    'normalizer.json': '',
  }
  const base = model(smallTokenizer(tokenizerJson(['a', 'b'], ['<s>']), config))

  it('are copies where the vocabulary stays', () => {
    const plan = planVocabulary({
      models: [bpe(['a', 'b', 'c']), base],
      setting: { kind: 'average-rows', source: { kind: 'model', model: 1 } },
    })
    expect(plan.donor).toBe(1)
    expect(plan.write.size).toBe(0)
    expect(plan.copy).toEqual([
      'tokenizer.json',
      'tokenizer_config.json',
      'special_tokens_map.json',
      'added_tokens.json',
      'vocab.json',
      'merges.txt',
      'qwen.tiktoken',
      'encoder.json',
      'vocab.bpe',
      'normalizer.json',
    ])
  })

  it('list new added tokens wherever the donor’s files do, and leave out other spellings of the vocabulary', () => {
    const plan = planVocabulary({ models: [base, bpe(['a'], ['<x>'])], setting: union })
    expect(plan.copy).toEqual(['special_tokens_map.json', 'normalizer.json'])
    expect(JSON.parse(plan.write.get('tokenizer_config.json')!)).toMatchObject({
      bos_token: '<s>',
      added_tokens_decoder: { 2: { content: '<s>' }, 3: { content: '<x>', special: true } },
    })
    expect(JSON.parse(plan.write.get('added_tokens.json')!)).toEqual({ '<s>': 2, '<x>': 3 })
    expect(plan.notes).toContainEqual({
      code: 'left-out-files',
      files: ['vocab.json', 'merges.txt', 'qwen.tiktoken', 'encoder.json', 'vocab.bpe'],
    })
  })

  it('give added tokens a place in the vocabulary where ordinary tokens come after them', () => {
    const plan = planVocabulary({ models: [base, bpe(['c'])], setting: union })
    expect(written(plan).document.model['vocab']).toEqual({ a: 0, b: 1, '<s>': 2, c: 3 })
  })

  it('keep everything else of tokenizer.json', () => {
    const rest = {
      version: '1.0',
      normalizer: { type: 'NFC' },
      post_processor: { type: 'TemplateProcessing', single: [] },
    }
    const donor = model(smallTokenizer(tokenizerJson(['a'], [], { unk_token: 'a', dropout: null }, rest)))
    const { document } = written(planVocabulary({ models: [donor, bpe(['b'], ['<x>'])], setting: union }))
    expect(document).toMatchObject({ ...rest, decoder: null, model: { unk_token: 'a', dropout: null } })
  })
})

describe('the ids of special tokens in the config files', () => {
  const withIds = (tokens: readonly string[], config: Json, generation: Json) =>
    model(smallTokenizer(tokenizerJson(tokens), { 'config.json': config, 'generation_config.json': generation }))
  const base = withIds(
    ['<s>', '</s>', '<pad>', '<img>'],
    { bos_token_id: 0, eos_token_id: 1, pad_token_id: 2, vision_config: { image_token_id: 3 }, max_length: 9 },
    { eos_token_id: [1] },
  )
  const other = withIds(
    ['x', '</s>', '<s>', '<img>', '<end>'],
    { bos_token_id: 2, eos_token_id: 1, unk_token_id: 0 },
    { eos_token_id: [4, 1] },
  )

  it('stay where the base’s vocabulary does', () => {
    expect(planVocabulary({ models: [base, other], baseIndex: 0, setting: union }).tokenIds).toEqual([])
  })

  it('become the chosen model’s own, else those of the same tokens', () => {
    const plan = planVocabulary({
      models: [base, other],
      baseIndex: 0,
      setting: { kind: 'average-rows', source: { kind: 'model', model: 1 } },
    })
    expect(plan.tokenIds).toEqual([
      { file: 'config.json', path: ['bos_token_id'], from: 0, to: 2 },
      { file: 'config.json', path: ['pad_token_id'], from: 2, to: null },
      { file: 'generation_config.json', path: ['eos_token_id'], from: [1], to: [4, 1] },
      { file: 'config.json', path: ['unk_token_id'], from: undefined, to: 0 },
    ])
  })

  it('are compared between the inputs', () => {
    expect(planVocabulary({ models: [base, other], setting: union }).warnings).toContainEqual({
      code: 'special-tokens-differ',
      role: 'eos',
      tokens: ['</s>', '</s> <end>'],
    })
  })
})

describe('planVocabulary warns', () => {
  it('of different chat templates, not of absent ones', () => {
    const chat = (template?: string) =>
      model(smallTokenizer(tokenizerJson(['a']), template === undefined ? {} : { 'chat_template.jinja': template }))
    const plan = planVocabulary({
      models: [chat('{{ a }}'), chat('{{ b }}'), chat('{{ a }}\n'), chat()],
      setting: union,
    })
    expect(plan.warnings).toEqual([{ code: 'chat-templates-differ', groups: [[0, 2], [1]] }])
    expect(planVocabulary({ models: [chat('{{ a }}'), chat()], setting: union }).warnings).toEqual([])
  })

  it('of tokenizers of different kinds', () => {
    const unigram = model(smallTokenizer(JSON.stringify({ model: { type: 'Unigram', unk_id: 0, vocab: [['a', 0]] } })))
    expect(planVocabulary({ models: [bpe(['a']), unigram], setting: union }).warnings).toEqual([
      { code: 'kinds-differ', kinds: ['bpe', 'unigram'] },
    ])
  })

  it('of a model without a tokenizer, which counts as the base’s where it has as many rows', () => {
    const plan = planVocabulary({ models: [bpe(['a', 'b']), model(parseTokenizer(new Map()), 2)], setting: union })
    expect(plan.warnings).toEqual([{ code: 'assumed-tokenizer', models: [1], base: 0 }])
    expect(plan.models[1]!.segments).toEqual([{ kind: 'copy', rowCount: 2, source: 1, row: 0 }])
  })
})

describe('planVocabulary refuses', () => {
  const base = bpe(['a', 'b'])
  const missing = (files: [string, string][] = []) => model(parseTokenizer(new Map(files)), 5, 'some/model')
  const plan = (models: readonly VocabularyInput[], setting: TokenizerSetting = union) =>
    issueOf(() => planVocabulary({ models, setting }))

  it('no models', () => {
    expect(plan([])).toEqual({ code: 'no-models' })
  })

  it('a missing tokenizer', () => {
    expect(plan([missing([['vocab.json', '']])])).toEqual({
      code: 'missing-tokenizer',
      model: 'some/model',
      found: ['vocab.json'],
    })
    expect(plan([base, missing()])).toMatchObject({ code: 'missing-tokenizer', model: 'some/model' })
  })

  it('a model with only a sentencepiece model', () => {
    expect(plan([base, missing([['tokenizer.model', 'x']])])).toEqual({
      code: 'sentencepiece-only',
      model: 'some/model',
      file: 'tokenizer.model',
    })
  })

  it('a tokenizer without any row', () => {
    expect(plan([bpe(['a'], [], 0)])).toMatchObject({ code: 'empty-vocabulary', embeddingRows: 0 })
  })

  it('a source that lacks the token, with the nearest it has', () => {
    const chat = bpe(['a'], ['<|im_start|>'])
    const setting: TokenizerSetting = {
      ...ofBase,
      tokens: [{ token: 'b', source: { kind: 'model_token', model: 1, token: '<|im_star|>' }, force: false }],
    }
    expect(plan([base, chat], setting)).toMatchObject({
      code: 'token-not-in-source',
      token: 'b',
      source: '<|im_star|>',
      nearest: '<|im_start|>',
    })
    expect(
      plan([base, chat], { ...ofBase, tokens: [{ token: 'b', source: { kind: 'model', model: 1 }, force: false }] }),
    ).toMatchObject({ code: 'token-not-in-source', source: 'b' })
  })

  it.each([2, -1, 0.5])('the row %d of a model with two', (tokenId) => {
    expect(
      plan([base], {
        ...ofBase,
        tokens: [{ token: 'b', source: { kind: 'model_token', model: 0, tokenId }, force: true }],
      }),
    ).toMatchObject({ code: 'id-out-of-range', id: tokenId, embeddingRows: 2 })
  })

  it('force without a source', () => {
    expect(plan([base], { ...ofBase, tokens: [{ token: 'b', force: true }] })).toEqual({
      code: 'force-without-source',
      token: 'b',
    })
  })

  it.each([0, -8, 1.5, Number.NaN, 2 ** 21])('padding to a multiple of %d', (padToMultipleOf) => {
    expect(plan([base], { ...ofBase, padToMultipleOf })).toEqual({ code: 'bad-padding', multiple: padToMultipleOf })
  })
})

describe('models that share one sentencepiece model', () => {
  const sentencePiece = (fingerprint: string, rows: number) =>
    model(parseTokenizer(new Map([['tokenizer.model', fingerprint]])), rows)

  it('are merged row by row, and it is copied', () => {
    const plan = planVocabulary({ models: [sentencePiece('x', 4), sentencePiece('x', 3)], setting: union })
    expect(plan.copy).toEqual(['tokenizer.model'])
    expect(plan.models[1]!.segments).toEqual([
      { kind: 'copy', rowCount: 3, source: 1, row: 0 },
      { kind: 'mean-of-others', rowCount: 1 },
    ])
  })

  it('are refused where a token is to be added, or where it is not known to be one', () => {
    const models = [sentencePiece('x', 4), sentencePiece('x', 4)]
    expect(
      issueOf(() => planVocabulary({ models, setting: { ...union, tokens: [{ token: '<x>', force: false }] } })).code,
    ).toBe('sentencepiece-only')
    expect(
      issueOf(() => planVocabulary({ models: [sentencePiece('', 4), sentencePiece('', 4)], setting: union })).code,
    ).toBe('sentencepiece-only')
  })
})

/** The source and row that row `id` is copied from. */
function rowOf(segments: VocabularyPlan['models'][number]['segments'], id: number): string | undefined {
  let start = 0
  for (const segment of segments) {
    if (id < start + segment.rowCount)
      return segment.kind === 'copy' ? `${segment.source}:${segment.row + id - start}` : segment.kind
    start += segment.rowCount
  }
  return undefined
}
