import { describe, expect, it } from 'vitest'
import { familyFixtures } from './fixtures/index.ts'
import { describeCheckpoint, findModule, findPeriodicSettings, reviseConfig } from './index.ts'

const fixture = (family: string) => familyFixtures.find((candidate) => candidate.family === family)!

function revised(family: string, name: string, sourceLayers: readonly number[]) {
  const { tensors, config } = fixture(family)
  return reviseConfig(config, {
    layers: [{ module: findModule(describeCheckpoint(tensors, config), name)!, sourceLayers }],
  })
}

describe('reviseConfig', () => {
  it('leaves everything as it is where no layer moved, whatever config.json says', () => {
    const { tensors, config } = fixture('albert')
    expect(revised('llama', 'default', [0, 1])).toEqual(fixture('llama').config)
    expect(
      reviseConfig(config, { layers: [{ module: describeCheckpoint(tensors, config).modules[0]!, sourceLayers: [] }] }),
    ).toEqual(config)
  })

  it('writes the layer count at every place that has it', () => {
    expect(revised('llama', 'default', [0, 1, 0, 1])).toMatchObject({ num_hidden_layers: 4 })
    expect(revised('mamba', 'default', [0])).toMatchObject({ num_hidden_layers: 1, n_layer: 1 })
    expect(revised('qwen2_5_vl', 'text_decoder', [0, 1, 1])).toMatchObject({
      num_hidden_layers: 3,
      text_config: { num_hidden_layers: 3 },
      vision_config: { depth: 3 },
    })
    expect(revised('llava-defaults-unwritten', 'vision_tower', [0])).toMatchObject({
      vision_config: { num_hidden_layers: 1 },
    })
  })

  it('puts lists with an entry per layer in the order of the layers', () => {
    expect(revised('gpt_oss', 'default', [1, 0, 1])).toMatchObject({
      layer_types: ['full_attention', 'sliding_attention', 'full_attention'],
    })
    expect(revised('gemma3n', 'text_decoder', [1])).toMatchObject({
      text_config: { intermediate_size: [6], activation_sparsity_pattern: [0] },
    })
    expect(revised('nemotron_h', 'default', [2, 1, 0, 1])).toMatchObject({
      hybrid_override_pattern: '*-M-',
      num_hidden_layers: 4,
    })
  })

  it('follows lists of layer numbers', () => {
    expect(revised('llama4', 'text_decoder', [0, 1, 1])).toMatchObject({
      text_config: { moe_layers: [1, 2], no_rope_layers: [1, 0, 0] },
    })
    expect(revised('qwen3_vl', 'vision_tower', [2, 1])).toMatchObject({
      vision_config: { depth: 2, deepstack_visual_indexes: [0] },
    })
  })

  it('keeps lists that only happen to be as long', () => {
    const { tensors, config } = fixture('llama')
    const module = describeCheckpoint(tensors, config).modules[0]!
    expect(
      reviseConfig({ ...config, eos_token_id: [1, 2] }, { layers: [{ module, sourceLayers: [1] }] }),
    ).toMatchObject({ eos_token_id: [1, 2] })
  })

  it('writes tying, vocabulary and dtype in the spellings that are there', () => {
    const config = {
      vocab_size: 8,
      torch_dtype: 'float32',
      text_config: { vocab_size: 8, dtype: 'float32', tie_word_embeddings: true },
      vision_config: { vocab_size: 3 },
    }
    expect(reviseConfig(config, { vocabularySize: 9, dtype: 'bfloat16', tied: false })).toEqual({
      vocab_size: 9,
      torch_dtype: 'bfloat16',
      text_config: { vocab_size: 9, dtype: 'bfloat16', tie_word_embeddings: false },
      vision_config: { vocab_size: 3 },
      tie_word_embeddings: false,
    })
    expect(reviseConfig({ dtype: null }, { dtype: 'float16' })).toEqual({ dtype: 'float16' })
    expect(reviseConfig({}, { dtype: 'float16', vocabularySize: 4 })).toEqual({ vocab_size: 4, torch_dtype: 'float16' })
  })

  it('does not write tying where nothing changed', () => {
    expect(reviseConfig({ model_type: 'gpt2' }, { tied: true })).toEqual({ model_type: 'gpt2' })
  })

  it('drops what describes quantized weights when they were written as ordinary ones', () => {
    expect(reviseConfig({ a: 1, quantization_config: {} }, { dequantized: true })).toEqual({ a: 1 })
  })

  it('never changes its input', () => {
    const config = { num_hidden_layers: 2, text_config: { vocab_size: 1 } }
    const copy = structuredClone(config)
    reviseConfig(config, { vocabularySize: 2, tied: true, dtype: 'float16' })
    expect(config).toEqual(copy)
  })

  it('rejects a changed layer count that has no place (no-layer-count-key)', () => {
    const { tensors } = fixture('llama')
    const module = describeCheckpoint(tensors, undefined).modules[0]!
    expect(() => reviseConfig({}, { layers: [{ module, sourceLayers: [0] }] })).toThrow(
      expect.objectContaining({ code: 'no-layer-count-key' }),
    )
  })

  it('rejects a layer that the model does not have (no-such-layer)', () => {
    expect(() => revised('llama', 'default', [0, 2])).toThrow(/there is no layer 2; expected 0 to 1/)
  })
})

describe('findPeriodicSettings', () => {
  it('names settings that make a layer what it is by its index', () => {
    const { tensors, config } = fixture('jamba')
    const [module] = describeCheckpoint(tensors, config).modules
    expect(findPeriodicSettings(config, [{ module: module!, sourceLayers: [1, 0] }])).toEqual([
      'attn_layer_period',
      'attn_layer_offset',
    ])
    expect(findPeriodicSettings(config, [{ module: module!, sourceLayers: [0, 1] }])).toEqual([])
  })
})
