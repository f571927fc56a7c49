import { describe, expect, it } from 'vitest'
import { faultsOf, withTop } from './__fixtures__/failures.ts'
import { parseConfig } from './parse-config.ts'

const parse = (lines: string) => parseConfig(withTop(lines))
const model = (path: string) => ({ path, adapters: [] })

describe('tokenizer_source', () => {
  it.each([
    ['base', { kind: 'base' }],
    ['union', { kind: 'union' }],
    ['model:models/chat', { kind: 'model', model: model('models/chat') }],
    ['"model: models/chat"', { kind: 'model', model: model('models/chat') }],
    ['models/chat@v1', { kind: 'model', model: { path: 'models/chat', revision: 'v1', adapters: [] } }],
    ['{model: {path: base}}', { kind: 'model', model: model('base') }],
  ])('%s', (text, source) => {
    expect(parse(`tokenizer_source: ${text}`).config.tokenizer).toEqual({ kind: 'average-rows', source })
  })
})

describe('tokenizer', () => {
  it('is the union unless it says otherwise', () => {
    expect(parse('tokenizer: {}').config.tokenizer).toEqual({
      kind: 'complete-rows',
      source: { kind: 'union' },
      tokens: [],
    })
    expect(parse('tokenizer:').config.tokenizer).toBeUndefined()
  })

  it('reads every kind of token source', () => {
    const lines = `tokenizer:
  source: model:a
  pad_to_multiple_of: 64
  tokens:
    <|im_start|>: {source: models/x, force: yes}
    <|im_end|>: {source: {model: models/x}}
    <pad>: {source: {kind: model_token, model: models/y, token: </s>}}
    "7": {source: {kind: model_token, model: models/y, token_id: 2}}
    <zero>: {source: {kind: zero}}
    <new>: {}
    <newer>:`
    const path = (token: string) => ['tokenizer', 'tokens', token]
    expect(parse(lines).config.tokenizer).toEqual({
      kind: 'complete-rows',
      source: { kind: 'model', model: model('a') },
      padToMultipleOf: 64,
      tokens: [
        {
          token: '<|im_start|>',
          source: { kind: 'model', model: model('models/x') },
          force: true,
          path: path('<|im_start|>'),
        },
        {
          token: '<|im_end|>',
          source: { kind: 'model', model: model('models/x') },
          force: false,
          path: path('<|im_end|>'),
        },
        {
          token: '<pad>',
          source: { kind: 'model_token', model: model('models/y'), token: '</s>' },
          force: false,
          path: path('<pad>'),
        },
        {
          token: '7',
          source: { kind: 'model_token', model: model('models/y'), tokenId: 2 },
          force: false,
          path: path('7'),
        },
        { token: '<zero>', source: { kind: 'zero' }, force: false, path: path('<zero>') },
        { token: '<new>', force: false, path: path('<new>') },
        { token: '<newer>', force: false, path: path('<newer>') },
      ],
    })
  })

  it('warns of a kind that is written like a model', () => {
    const { config, warnings } = parse('tokenizer: {tokens: {x: {source: zero}}}')
    expect(config.tokenizer).toMatchObject({ tokens: [{ source: { kind: 'model', model: model('zero') } }] })
    expect(warnings).toEqual([`config:3:34: 'zero' is read as the name of a model; the kind is written {kind: zero}`])
  })

  it.each([
    ['union', 'a tokenizer alone is written {source: union}'],
    ['[union]', 'tokenizer is a list, expected {source, tokens, pad_to_multiple_of}'],
    ['{sorce: union}', `unknown key 'sorce' in tokenizer; did you mean 'source'?`],
    ['{pad_to_multiple_of: 0}', 'tokenizer.pad_to_multiple_of is 0, expected a whole number of at least 1'],
    ['{pad_to_multiple_of: 1.5}', 'expected a whole number'],
    ['{tokens: [a]}', 'tokenizer.tokens is a list, expected a mapping of tokens'],
    ['{tokens: {<a>: models/x}}', `tokenizer.tokens["<a>"] is the text 'models/x', expected {source, force}`],
    ['{tokens: {a: {kind: zero}}}', 'what fills its row stands under source'],
    ['{tokens: {a: {force: maybe}}}', `tokenizer.tokens.a.force is the text 'maybe', expected true or false`],
    ['{tokens: {a: {source: {kind: zeros}}}}', `did you mean 'zero'?`],
    ['{tokens: {a: {source: {kind: zero, token: b}}}}', `unknown key 'token'`],
    ['{tokens: {a: {source: {kind: model_token, model: m}}}}', `needs 'token' or 'token_id'`],
    ['{tokens: {a: {source: {kind: model_token, token: m}}}}', `needs 'model'`],
    [
      '{tokens: {a: {source: {kind: model_token, model: m, token: b, token_id: 1}}}}',
      `has 'token' and 'token_id', of which only one`,
    ],
    ['{tokens: {a: {source: {kind: model_token, model: m, token_id: -1}}}}', 'expected a whole number of at least 0'],
  ])('rejects %s', (text, message) => {
    expect(faultsOf(withTop(`tokenizer: ${text}`))).toContainEqual(expect.stringContaining(message))
  })

  it('excludes tokenizer_source', () => {
    expect(faultsOf(withTop('tokenizer_source: base\ntokenizer: {source: base}'))).toEqual([
      `config:4:12: the config has 'tokenizer_source' and 'tokenizer', of which only one can be given; they fill the embeddings by different rules`,
    ])
  })
})
