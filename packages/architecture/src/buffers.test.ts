import { describe, expect, it } from 'vitest'
import { isBuffer } from './index.ts'

describe('isBuffer', () => {
  it.each([
    'model.layers.0.self_attn.rotary_emb.inv_freq',
    'h.0.attn.masked_bias',
    'bert.embeddings.position_ids',
    'x.bn.num_batches_tracked',
  ])('knows %s', (name) => {
    expect(isBuffer(name)).toBe(true)
  })

  it('tells a causal mask from a bias by its shape', () => {
    expect(isBuffer('transformer.h.0.attn.bias', [1, 1, 8, 8])).toBe(true)
    expect(isBuffer('blocks.0.attn.bias', [8])).toBe(false)
  })

  it('leaves weights alone', () => {
    expect(isBuffer('model.layers.0.mlp.gate.e_score_correction_bias', [4])).toBe(false)
    expect(isBuffer('model.layers.0.self_attn.q_proj.bias', [4])).toBe(false)
  })
})
