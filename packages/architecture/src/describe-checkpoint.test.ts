import { readdirSync, readFileSync } from 'node:fs'
import { parseHeader } from '@mk/safetensors'
import { describe, expect, it } from 'vitest'
import { familyFixtures } from './fixtures/index.ts'
import { describeCheckpoint, embeddingNames, findModule, headNames, isTied, type TensorFacts } from './index.ts'

const tensorsOf = (names: readonly string[], shape: readonly number[] = [4, 4]): TensorFacts[] =>
  names.map((name) => ({ name, shape }))
const fixture = (family: string) => familyFixtures.find((candidate) => candidate.family === family)!
const layoutOf = (family: string) => describeCheckpoint(fixture(family).tensors, fixture(family).config)
const find = (family: string, name: string) =>
  layoutOf(family)
    .modules.flatMap(({ tensors }) => tensors)
    .find((tensor) => tensor.name === name)

describe('layers', () => {
  it('are counted by the outermost number, so that experts stay inside', () => {
    expect(find('mixtral', 'model.layers.1.block_sparse_moe.experts.0.w1.weight')).toMatchObject({
      layer: 1,
      template: 'model.layers.{layer}.block_sparse_moe.experts.0.w1.weight',
    })
  })

  it('are no lists of heads, convolutions or codebooks', () => {
    const lists = [
      'lm_heads.0.weight',
      'lm_heads.1.weight',
      'conv.0.weight',
      'conv.0.bias',
      'conv.1.weight',
      'conv.1.bias',
      'embed_tokens.0.weight',
    ]
    const layers = [0, 1].flatMap((n) => ['a', 'b', 'c'].map((part) => `model.layers.${n}.${part}.weight`))
    const { modules } = describeCheckpoint(tensorsOf([...lists, ...layers]), {})
    expect(modules).toMatchObject([{ layerPrefix: 'model.layers.', layerCount: 2 }])
    expect(modules[0]!.tensors.filter(({ layer }) => layer === undefined)).toHaveLength(lists.length)
  })

  it('are found under a name never heard of, without any config', () => {
    const names = [0, 1, 2].flatMap((n) => ['fire', 'wire', 'norm'].map((part) => `cortex.fold.${n}.${part}`))
    const { modules, family } = describeCheckpoint(tensorsOf(['lexicon', ...names]), undefined)
    expect(family).toBeUndefined()
    expect(modules).toMatchObject([{ prefix: '', layerPrefix: 'cortex.fold.', layerCount: 3, layerCountKeys: [] }])
  })

  it('may be missing altogether', () => {
    const { modules } = describeCheckpoint(tensorsOf(['a.weight', 'b.0.weight']), undefined)
    expect(modules).toMatchObject([{ prefix: '', names: ['default'], layerPrefix: undefined, layerCount: 0 }])
    expect(describeCheckpoint([], undefined).modules).toMatchObject([{ layerCount: 0, tensors: [] }])
  })

  it('are never as many as a stray number says', () => {
    const { modules } = describeCheckpoint(
      tensorsOf(['model.layers.999999.a', 'model.layers.0.a', 'layers.01.b', 'x.99999999999999999999.y']),
      {},
    )
    expect(modules).toMatchObject([{ layerCount: 0 }])
    expect(modules[0]!.tensors).toHaveLength(4)
  })

  it('follow the last layer where they predict further tokens', () => {
    expect(find('deepseek_v3', 'model.layers.2.shared_head.head.weight')).toEqual({
      name: 'model.layers.2.shared_head.head.weight',
      shape: [12, 4],
      layer: undefined,
      position: 'after',
      role: 'head',
      vocabularyAxis: 0,
      template: 'model.layers.{layers}.shared_head.head.weight',
    })
    expect(find('qwen3_next', 'mtp.layers.0.self_attn.q_proj.weight')).toMatchObject({
      layer: undefined,
      position: 'after',
    })
  })

  it('may be numbered from 1', () => {
    expect(find('mixformer-sequential', 'layers.1.ln.bias')).toMatchObject({
      layer: 0,
      template: 'layers.{layer+1}.ln.bias',
    })
    expect(find('mixformer-sequential', 'layers.3.linear.bias')).toMatchObject({
      position: 'after',
      role: 'head-bias',
      template: 'layers.{layers+1}.linear.bias',
    })
  })

  it('are counted by the tensors where config.json contradicts them, with a note', () => {
    const names = [0, 1, 2].flatMap((n) => ['a', 'b', 'c'].map((part) => `model.layers.${n}.${part}.weight`))
    const { modules, notes } = describeCheckpoint(tensorsOf(names), { num_hidden_layers: 5 })
    expect(modules[0]).toMatchObject({ layerCount: 3, layerCountKeys: [['num_hidden_layers']] })
    expect(notes).toEqual(['model.layers: config.json says 5 layers (num_hidden_layers), the tensors number 3'])
  })
})

describe('modules', () => {
  it.each([
    ['gemma3', 'text_decoder', 'language_model.'],
    ['gemma3', 'vision_tower', 'vision_tower.'],
    ['gemma3', 'multi_modal_projector', 'multi_modal_projector.'],
    ['llama4', 'vision_model', 'vision_model.'],
    ['qwen2_vl', 'text_decoder', 'model.'],
    ['qwen2_vl', 'vision_tower', 'visual.'],
    ['qwen2_vl', 'multi_modal_projector', 'visual.merger.'],
    ['qwen3_vl', 'visual', 'model.visual.'],
    ['whisper', 'decoder', 'model.decoder.'],
    ['t5', 'encoder', 'encoder.'],
    ['t5', 'shared', ''],
    ['llama', 'default', ''],
    ['llama', 'model.layers', ''],
  ])('of %s are found by the name %s', (family, name, prefix) => {
    expect(findModule(layoutOf(family), name)?.prefix).toBe(prefix)
  })

  it('are not found by a name that none of them has', () => {
    expect(findModule(layoutOf('llama'), 'vision_tower')).toBeUndefined()
  })

  it('have their layer counts in their own parts of config.json', () => {
    const keys = (family: string) =>
      layoutOf(family)
        .modules.filter(({ layerCount }) => layerCount > 0)
        .map(({ layerCountKeys }) => layerCountKeys)
    expect(keys('gpt2')).toEqual([[['n_layer']]])
    expect(keys('mamba')).toEqual([[['num_hidden_layers'], ['n_layer']]])
    expect(keys('llava')).toEqual([[['text_config', 'num_hidden_layers']], [['vision_config', 'num_hidden_layers']]])
    expect(keys('llava-defaults-unwritten')).toEqual(keys('llava'))
    expect(keys('qwen2_5_vl')).toEqual([
      [['num_hidden_layers'], ['text_config', 'num_hidden_layers']],
      [['vision_config', 'depth']],
    ])
    expect(keys('t5')).toEqual([[['num_layers']], [['num_decoder_layers']]])
    expect(keys('bart')).toEqual([[['encoder_layers'], ['num_hidden_layers']], [['decoder_layers']]])
    expect(keys('mllama')).toEqual([
      [['text_config', 'num_hidden_layers']],
      [['vision_config', 'num_hidden_layers']],
      [['vision_config', 'num_global_layers']],
    ])
    expect(keys('qwen2_audio')).toEqual([[['text_config', 'num_hidden_layers']], [['audio_config', 'encoder_layers']]])
  })

  it('are encoder and decoder where each is a model of its own', () => {
    const layers = ['encoder.encoder.layer', 'decoder.roberta.encoder.layer'].flatMap((path) =>
      [0, 1].flatMap((n) => ['q', 'k', 'v'].map((part) => `${path}.${n}.${part}.weight`)),
    )
    const { modules } = describeCheckpoint(tensorsOf(layers), {
      encoder: { num_hidden_layers: 2 },
      decoder: { num_hidden_layers: 2 },
    })
    expect(modules).toMatchObject([
      { kind: 'encoder', prefix: 'encoder.', layerCountKeys: [['encoder', 'num_hidden_layers']] },
      { kind: 'decoder', prefix: 'decoder.', layerCountKeys: [['decoder', 'num_hidden_layers']] },
    ])
  })
})

describe('a tensor outside the layers', () => {
  it.each([
    ['llama', 'model.norm.weight', 'after'],
    ['lfm2', 'model.embedding_norm.weight', 'after'],
    ['bloom', 'transformer.word_embeddings_layernorm.weight', 'before'],
    ['opt', 'model.decoder.project_in.weight', 'before'],
    ['opt', 'model.decoder.project_out.weight', 'after'],
    ['rwkv', 'rwkv.ln_out.weight', 'after'],
    ['bart', 'model.encoder.layernorm_embedding.weight', 'before'],
    ['bert-masked-lm', 'bert.embeddings.LayerNorm.weight', 'before'],
    ['bert-masked-lm', 'cls.predictions.transform.dense.weight', 'after'],
    ['distilbert-classifier', 'pre_classifier.weight', 'after'],
    ['clip', 'vision_model.pre_layrnorm.weight', 'before'],
    ['clip', 'vision_model.post_layernorm.weight', 'after'],
    ['vit', 'vit.embeddings.cls_token', 'before'],
    ['gemma3n', 'model.language_model.altup_unembed_projections.1.weight', 'after'],
    ['gemma3n', 'model.language_model.per_layer_projection_norm.weight', 'before'],
  ])('of %s: %s comes %s them', (family, name, position) => {
    expect(find(family, name)?.position).toBe(position)
  })

  it.each([
    ['gpt2', 'transformer.wpe.weight', 'position', undefined],
    ['phi', 'lm_head.bias', 'head-bias', 0],
    ['bart', 'final_logits_bias', 'head-bias', 1],
    ['distilbert-masked-lm', 'vocab_projector.bias', 'head-bias', 0],
    ['chatglm', 'transformer.rotary_pos_emb.inv_freq', 'buffer', undefined],
    ['gpt_neox', 'gpt_neox.layers.0.attention.bias', 'buffer', undefined],
    ['wav2vec2', 'lm_head.weight', 'head', 0],
    ['roberta-classifier', 'classifier.out_proj.weight', undefined, undefined],
  ])('of %s: %s has the role %s', (family, name, role, axis) => {
    const tensor = find(family, name)
    expect([tensor?.role, tensor?.vocabularyAxis]).toEqual([role, axis])
  })

  it('is a head for its shape where the name is unknown', () => {
    expect(find('never-heard-of', 'brain.tongue_out.weight')?.role).toBe('head')
    expect(find('never-heard-of', 'brain.lexicon.weight')?.role).toBe('embedding')
  })

  it('of a head goes to the language model', () => {
    expect(findModule(layoutOf('qwen2_vl'), 'text_decoder')?.tensors.map(({ name }) => name)).toContain(
      'lm_head.weight',
    )
  })
})

describe('checkpoints that transformers wrote', () => {
  const folder = new URL('../../../goldens/models/', import.meta.url)
  it.each([
    ['llama-base', 4, 'model.embed_tokens.weight', 'lm_head.weight', false],
    ['llama16-base', 4, 'model.embed_tokens.weight', 'lm_head.weight', false],
    ['qwen-base', 3, 'model.embed_tokens.weight', undefined, true],
    ['gpt2-base', 3, 'transformer.wte.weight', undefined, true],
    ['neox-base', 2, 'gpt_neox.embed_in.weight', 'embed_out.weight', false],
    ['bert-base', 2, 'bert.embeddings.word_embeddings.weight', undefined, true],
    ['mixtral-base', 2, 'model.embed_tokens.weight', 'lm_head.weight', false],
    ['gemma2-base', 2, 'model.embed_tokens.weight', undefined, true],
    ['phi3-base', 2, 'model.embed_tokens.weight', 'lm_head.weight', false],
  ])('%s', (model, layerCount, embedding, head, tied) => {
    const files = readdirSync(new URL(`${model}/`, folder)).filter((file) => file.endsWith('.safetensors'))
    const tensors = files.flatMap((file) => {
      const bytes = readFileSync(new URL(`${model}/${file}`, folder))
      return parseHeader(bytes, bytes.length).tensors
    })
    const config = JSON.parse(readFileSync(new URL(`${model}/config.json`, folder), 'utf8')) as Record<string, unknown>
    const layout = describeCheckpoint(tensors, config)
    expect(layout).toMatchObject({ modules: [{ prefix: '', layerCount }], notes: [] })
    expect(layout.modules[0]!.tensors).toHaveLength(tensors.length)
    expect([embeddingNames(layout)[0], headNames(layout)[0], isTied(config, layout)]).toEqual([embedding, head, tied])
  })
})
