import { describe, expect, it } from 'vitest'
import { describeCheckpoint, isTied } from './index.ts'

describe('isTied', () => {
  it('believes config.json, the top before the text part', () => {
    expect(isTied({ model_type: 'gpt2', tie_word_embeddings: false })).toBe(false)
    expect(isTied({ tie_word_embeddings: true, text_config: { tie_word_embeddings: false } })).toBe(true)
    expect(isTied({ text_config: { tie_word_embeddings: true } })).toBe(true)
  })

  it('takes the default of the family where config.json is silent', () => {
    expect(isTied({ model_type: 'gemma2' })).toBe(true)
    expect(isTied({ model_type: 'llama' })).toBe(false)
    expect(isTied({ model_type: 'constructor' })).toBe(false)
  })

  it('asks the tensors of an unknown family', () => {
    const embedding = { name: 'model.embed_tokens.weight', shape: [8, 2] }
    const head = { name: 'lm_head.weight', shape: [8, 2] }
    expect(isTied({}, describeCheckpoint([embedding], {}))).toBe(true)
    expect(isTied({}, describeCheckpoint([embedding, head], {}))).toBe(false)
    expect(isTied({}, describeCheckpoint([], {}))).toBe(false)
    expect(isTied(undefined)).toBe(false)
  })
})
