import { describe, expect, it } from 'vitest'
import { type Json, model, union } from '../__fixtures__/inputs.ts'
import { smallTokenizer, tokenizerJson } from '../__fixtures__/small-tokenizer.ts'
import { planVocabulary } from '../index.ts'

describe('the ids of special tokens in the config files', () => {
  const withIds = (tokens: readonly string[], config: Json, generation: Json) =>
    model(smallTokenizer(tokenizerJson(tokens), {}, { 'config.json': config, 'generation_config.json': generation }))
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
