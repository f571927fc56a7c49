import { describe, expect, it } from 'vitest'
import { bpe, model, union } from '../__fixtures__/inputs.ts'
import { smallTokenizer, tokenizerJson } from '../__fixtures__/small-tokenizer.ts'
import { parseTokenizer, planVocabulary } from '../index.ts'

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
