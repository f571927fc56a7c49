import { describe, expect, it } from 'vitest'
import { familyFixtures } from './fixtures/index.ts'
import { describeCheckpoint, findModule, findPeriodicSettings, listLayerDoubts, reviseConfig } from './index.ts'

const fixture = (family: string) => familyFixtures.find((candidate) => candidate.family === family)!

function revised(family: string, name: string, sourceLayers: readonly number[]) {
  const { tensors, config } = fixture(family)
  return reviseConfig(config, {
    layers: [{ module: findModule(describeCheckpoint(tensors, config), name)!, sourceLayers }],
  })
}

/** The layers of a family, with more of them and other settings. */
function moduleOf(family: string, settings: object, layerCount = 2) {
  const { tensors, config } = fixture(family)
  const key = Object.keys(config).find((name) => /^(?:num_hidden_layers|n_layer)$/.test(name))!
  const revised = { ...config, [key]: layerCount, ...settings }
  return { config: revised, module: { ...describeCheckpoint(tensors, config).modules[0]!, layerCount } }
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

  it('takes what is said of a layer from its own model', () => {
    const { module, config } = moduleOf('gemma3_text', {})
    const a = { ...config, layer_types: ['sliding_attention', 'full_attention'] }
    const b = { config: { ...config, layer_types: ['full_attention', 'full_attention'] }, module }
    const layers = { module, sourceLayers: [0, 1, 0, 1], sourceModels: [undefined, undefined, b, b] }
    expect(reviseConfig(a, { layers: [layers] })).toMatchObject({
      layer_types: ['sliding_attention', 'full_attention', 'full_attention', 'full_attention'],
    })
    const same = { module, sourceLayers: [0, 1], sourceModels: [b, b] }
    expect(reviseConfig(a, { layers: [same] })).toMatchObject({
      num_hidden_layers: 2,
      layer_types: b.config.layer_types,
    })
  })

  it('finds them where the other model has them: as a rule, in another part, or in a list that the donor lacks', () => {
    const { module, config } = moduleOf('gemma3_text', {})
    const listed = { ...config, layer_types: ['full_attention', 'full_attention'] }
    const { layer_types: _, ...silent } = config
    const ruled = { config: { ...silent, sliding_window_pattern: 1 }, module }
    const ofDonor = { module, sourceLayers: [0, 0], sourceModels: [undefined, ruled] }
    expect(reviseConfig(listed, { layers: [ofDonor] })).toMatchObject({
      layer_types: ['full_attention', 'full_attention'],
    })
    const other = { config: listed, module }
    const ofOther = { module, sourceLayers: [0, 1], sourceModels: [undefined, other] }
    expect(reviseConfig(silent, { layers: [ofOther] })).toMatchObject({
      layer_types: ['sliding_attention', 'full_attention'],
    })
    const vision = fixture('gemma3')
    const text = {
      ...vision.config,
      text_config: {
        num_hidden_layers: 2,
        model_type: 'gemma3_text',
        layer_types: ['full_attention', 'sliding_attention'],
      },
    }
    const nested = { config: text, module: findModule(describeCheckpoint(vision.tensors, text), 'language_model')! }
    const ofPart = { module, sourceLayers: [0, 1], sourceModels: [nested, nested] }
    expect(reviseConfig(listed, { layers: [ofPart] })).toMatchObject({
      layer_types: ['full_attention', 'sliding_attention'],
    })
  })

  it('writes other values of a rule where they fit, and the list that says the same where they do not', () => {
    const take = (family: string, settings: object, sourceLayers: readonly number[], layerCount = 4) => {
      const { module, config } = moduleOf(family, settings, layerCount)
      const layers = [{ module, sourceLayers }]
      return { config: reviseConfig(config, { layers }), unfit: findPeriodicSettings(config, layers) }
    }
    expect(take('glm4_moe', { first_k_dense_replace: 2 }, [1, 2, 3])).toMatchObject({
      config: { first_k_dense_replace: 1 },
      unfit: [],
    })
    expect(take('glm4_moe', { first_k_dense_replace: 2 }, [2, 0])).toMatchObject({
      config: { first_k_dense_replace: 2 },
      unfit: ['first_k_dense_replace'],
    })
    expect(take('qwen3_moe', { decoder_sparse_step: 2, mlp_only_layers: [3] }, [1, 0, 3])).toMatchObject({
      config: { decoder_sparse_step: 1, mlp_only_layers: [1, 2] },
      unfit: [],
    })
    expect(take('gemma2', {}, [1, 0])).toMatchObject({
      config: { layer_types: ['full_attention', 'sliding_attention'] },
      unfit: [],
    })
    expect(take('qwen2', { max_window_layers: 2, use_sliding_window: false }, [3, 0])).toMatchObject({ unfit: [] })
    expect(take('llama', { num_kv_shared_layers: 2 }, [0, 1, 3])).toMatchObject({
      config: { num_kv_shared_layers: 1 },
      unfit: [],
    })
    expect(take('gpt2', { scale_attn_by_inverse_layer_idx: true }, [0, 1, 3]).unfit).toHaveLength(1)
  })

  it('follows lists that are gone through again and again, objects by layer and numbers from 1', () => {
    const take = (settings: object, sourceLayers: readonly number[]) => {
      const { module, config } = moduleOf('llama', settings, 4)
      return reviseConfig(config, { layers: [{ module, sourceLayers }] })
    }
    expect(take({ block_types: ['r', 'a'] }, [0, 1, 2, 3, 0, 1])).toMatchObject({ block_types: ['r', 'a'] })
    expect(take({ block_types: ['r', 'a'] }, [0, 2, 1])).toMatchObject({ block_types: ['r', 'r', 'a'] })
    expect(take({ per_layer_config: { 3: { head_dim: 8 } } }, [3, 0, 3])).toMatchObject({
      per_layer_config: { 0: { head_dim: 8 }, 2: { head_dim: 8 } },
    })
    expect(take({ linear_attn_config: { kda_layers: [1, 3], full_attn_layers: [2, 4] } }, [1, 2])).toMatchObject({
      linear_attn_config: { kda_layers: [2], full_attn_layers: [1] },
    })
    expect(take({ kv_source_layers: [0, 0, 2, 2] }, [0, 1, 2, 3, 2, 3])).toMatchObject({
      kv_source_layers: [0, 0, 2, 2, 4, 4],
    })
    expect(take({ layer_types: ['a', 'b', 'c', 'd', 'further'] }, [3, 0])).toMatchObject({
      layer_types: ['d', 'a', 'further'],
    })
    expect(take({ moe_layer_end_index: 3 }, [0, 1])).toMatchObject({ moe_layer_end_index: 1 })
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

  it('writes a vocabulary where rows were cut or added, and only at places that counted them', () => {
    const config = { vocab_size: 257152, text_config: { vocab_size: 257216, vocab_size_per_layer_input: 256 } }
    expect(reviseConfig(config, { vocabularySize: 257216, donorVocabularySize: 257216 })).toEqual(config)
    expect(reviseConfig(config, { vocabularySize: 257000, donorVocabularySize: 257216 })).toEqual({
      ...config,
      text_config: { vocab_size: 257000, vocab_size_per_layer_input: 256 },
    })
    expect(reviseConfig(config, { perLayerVocabularySize: 200 })).toMatchObject({
      text_config: { vocab_size: 257216, vocab_size_per_layer_input: 200 },
    })
    const images = { model_type: 'mllama', text_config: { vocab_size: 40 } }
    expect(reviseConfig(images, { vocabularySize: 38, donorVocabularySize: 48 })).toMatchObject({
      text_config: { vocab_size: 30 },
    })
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

describe('listLayerDoubts', () => {
  const doubts = (settings: object, sourceLayers: readonly number[]) => {
    const { module, config } = moduleOf('llama', settings, 4)
    return listLayerDoubts(config, [{ module, sourceLayers }])
  }

  it('names settings that nobody knows and that look like a layer count or like lists by layer', () => {
    expect(doubts({ zyx_steps: 4 }, [0, 1])).toEqual([
      expect.stringContaining('zyx_steps is 4, as the layer count was'),
    ])
    expect(doubts({ zyx: [1, 0, 0, 1] }, [3, 2, 1, 0])).toEqual([expect.stringContaining('zyx may have to do with')])
    expect(doubts({ zyx_layers: [0, 3] }, [0, 1])).toEqual([expect.stringContaining('zyx_layers may have to do with')])
  })

  it('names lists with an entry for each layer whose key only sounds as if it were of none', () => {
    expect(doubts({ num_hidden_layers: 4, layer_scale: [0.5, 1, 1, 2], head_dims: [8, 8, 8, 8] }, [0, 1])).toEqual([
      expect.stringContaining('layer_scale may have to do with single layers'),
      expect.stringContaining('head_dims may have to do with single layers'),
    ])
    expect(doubts({ num_hidden_layers: 4, layer_scale: [0.5, 1], bad_words_ids: [1, 2, 3, 4] }, [0, 1])).toEqual([])
  })

  it('is silent of what is known, and where no layer moves', () => {
    const known = {
      num_attention_heads: 4,
      eos_token_id: [1, 2, 3, 4],
      mlp_ratio: 4,
      num_channels: 4,
      layer_types: ['a'],
    }
    expect(doubts(known, [0, 1])).toEqual([])
    expect(doubts({ zyx_steps: 4, zyx: [1, 0, 0, 1] }, [0, 1, 2, 3])).toEqual([])
  })

  it('names lists of tensors beside the layers that are numbered like them', () => {
    const { module, config } = moduleOf('llama', {})
    const adapters = [0, 1].map((number) => ({
      name: `adapters.${number}.weight`,
      shape: [4, 4],
      layer: undefined,
      position: 'after' as const,
      template: `adapters.${number}.weight`,
    }))
    const layers = [{ module: { ...module, tensors: [...module.tensors, ...adapters] }, sourceLayers: [0, 1, 0] }]
    expect(listLayerDoubts(config, layers)).toEqual([expect.stringContaining('adapters is numbered from 0 to 1')])
  })
})
