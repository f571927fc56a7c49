import { describe, expect, it } from 'vitest'
import { isTiedCopy } from './index.ts'

describe('isTiedCopy', () => {
  it.each([
    ['encoder.embed_tokens.weight', ['shared.weight'], { tie_word_embeddings: false }],
    ['model.decoder.embed_tokens.weight', ['model.shared.weight'], {}],
    ['shared.weight', ['encoder.embed_tokens.weight'], {}],
    ['lm_head.weight', ['shared.weight'], { model_type: 't5' }],
    ['lm_head.weight', ['model.embed_tokens.weight'], { tie_word_embeddings: true }],
    ['model.embed_tokens.weight', ['lm_head.weight'], { tie_word_embeddings: true }],
    ['cls.predictions.decoder.bias', ['cls.predictions.bias'], {}],
    ['cls.predictions.decoder.weight', ['bert.embeddings.word_embeddings.weight'], { model_type: 'bert' }],
    ['model.layers.0.self_attn.rotary_emb.inv_freq', [], {}],
  ])('%s of %j is a copy', (name, stored, config) => expect(isTiedCopy(name, stored, config)).toBe(true))

  it.each([
    ['lm_head.weight', ['model.embed_tokens.weight'], { model_type: 'llama' }],
    ['lm_head.weight', ['model.norm.weight'], { tie_word_embeddings: true }],
    ['encoder.embed_tokens.weight', ['decoder.norm.weight'], { model_type: 't5' }],
    ['model.layers.0.mlp.up_proj.weight', ['model.embed_tokens.weight'], { tie_word_embeddings: true }],
  ])('%s of %j is missing', (name, stored, config) => expect(isTiedCopy(name, stored, config)).toBe(false))
})
