import { describe, expect, it } from 'vitest'
import { bpe, issueOf, model, ofBase, union, written } from '../__fixtures__/inputs.ts'
import { outputTokens } from '../__fixtures__/output-tokens.ts'
import { smallTokenizer, tokenizerJson } from '../__fixtures__/small-tokenizer.ts'
import { parseTokenizer, planVocabulary, type TokenizerSetting, type VocabularyInput } from '../index.ts'

describe('the tokens of a union', () => {
  it('are the base’s, then the others’ ordinary tokens, then their added tokens', () => {
    const plan = planVocabulary({
      models: [bpe(['a', 'b'], ['<x>']), bpe(['b', 'c'], ['<y>']), bpe(['d', 'a', 'c'], ['<x>', '<z>'])],
      setting: union,
    })
    expect(outputTokens(plan)).toEqual(['a', 'b', '<x>', 'c', 'd', '<y>', '<z>'])
  })

  it('begin with base_model’s, wherever it stands', () => {
    const plan = planVocabulary({ models: [bpe(['a']), bpe(['b'])], baseIndex: 1, setting: union })
    expect(outputTokens(plan)).toEqual(['b', 'a'])
    expect(plan.donor).toBe(1)
  })

  it('are those of the named model where the base has no tokenizer', () => {
    const plan = planVocabulary({
      models: [model(parseTokenizer(new Map()), 2), bpe(['a', 'b'])],
      setting: { ...ofBase, source: { kind: 'model', model: 1 } },
    })
    expect(plan.warnings).toMatchObject([{ code: 'assumed-tokenizer', models: [0], base: 1 }])
    expect(plan.copy).toEqual(['tokenizer.json'])
    expect(plan.models.map(({ segments }) => segments.length)).toEqual([1, 1])
  })

  it('leave out tokens beyond a model’s rows, also the base’s', () => {
    const plan = planVocabulary({
      models: [bpe(['a', 'b'], ['<x>'], 1), bpe(['a', 'c'], ['<x>', '<y>'], 3)],
      setting: union,
    })
    expect(outputTokens(plan)).toEqual(['a', 'c', '<x>'])
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
    expect(outputTokens(plan)).toEqual(['a', undefined, undefined, 'b', 'c', '<x>'])
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
    expect(outputTokens(plan)).toEqual(['a', '  '])
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

describe('planVocabulary refuses', () => {
  const base = bpe(['a', 'b'])
  const missing = (files: [string, string][] = []) => model(parseTokenizer(new Map(files)), 5, 'some/model')
  const plan = (models: readonly VocabularyInput[], setting: TokenizerSetting = union) =>
    issueOf(() => planVocabulary({ models, setting }))

  it('no models', () => {
    expect(plan([])).toEqual({ code: 'no-vocabulary-models' })
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
    ).toMatchObject({ code: 'token-id-out-of-range', id: tokenId, embeddingRows: 2 })
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
