import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { requestOf } from './__fixtures__/cases.ts'
import { explainConversionNotice } from './notices.ts'
import { type ConversionRequest, planConversion } from './plan-conversion.ts'

/** The code with which a case is refused once its config or request is changed; undefined where it is not. */
function refusal(
  name: string,
  { config = {}, ...changes }: Partial<ConversionRequest> & { config?: Record<string, unknown> },
): string | undefined {
  const request = { ...requestOf(name, 'F16', (given) => Object.assign(given, config)), ...changes }
  try {
    planConversion(request)
    return undefined
  } catch (error) {
    return (error as { code: string }).code
  }
}

const renamed = (name: string, from: string, to: string) =>
  requestOf(name, 'F16').tensors.map((tensor) => ({ ...tensor, name: tensor.name.replace(from, to) }))

interface TokenizerFile {
  readonly model: { type: string; readonly vocab: Record<string, number> }
  readonly added_tokens: [{ id: number }]
  readonly pre_tokenizer: { readonly pretokenizers: [{ readonly pattern: { Regex: string } }] }
}

const withTokenizer = (name: string, change: (tokenizer: TokenizerFile) => void): Map<string, string> => {
  const { documents } = requestOf(name, 'F16')
  const tokenizer: TokenizerFile = JSON.parse(documents.get('tokenizer.json')!)
  change(tokenizer)
  return new Map([...documents, ['tokenizer.json', JSON.stringify(tokenizer)]])
}

describe('a model whose GGUF would compute something else is refused', () => {
  it('a model of which a setting is missing, in these words', () => {
    const request = requestOf('llama3', 'F16', (config) => delete config['num_hidden_layers'])
    expect(() => planConversion(request)).toThrow('num_hidden_layers is missing; expected a whole number')
  })

  it('shares of experts add up to 1 in any case where a token goes through all of them', () => {
    const { config } = requestOf('qwen2moe', 'F16')
    const all = { norm_topk_prob: true, num_experts_per_tok: config['num_experts'] }
    expect(refusal('qwen2moe', { config: all })).toBeUndefined()
  })

  it.each([
    ['a family without a map', 'llama3', { model_type: 'bert' }, 'gguf-family'],
    ['another head', 'llama3', { architectures: ['LlamaForSequenceClassification'] }, 'gguf-family'],
    ['another activation', 'llama3', { hidden_act: 'gelu' }, 'gguf-setting'],
    ['experts in every other layer', 'qwen3moe', { decoder_sparse_step: 2 }, 'gguf-setting'],
    ['dense layers among experts', 'qwen2moe', { mlp_only_layers: [0] }, 'gguf-setting'],
    ['weights of experts that are normalized elsewhere', 'qwen2moe', { norm_topk_prob: true }, 'gguf-setting'],
    ['a scale of attention that is not the head size', 'gemma2', { query_pre_attn_scalar: 64 }, 'gguf-setting'],
    ['a RoPE of its own', 'gemma2', { rope_theta: 20_000 }, 'gguf-setting'],
    ['one among the settings of RoPE', 'gemma2', { rope_parameters: { rope_theta: 20_000 } }, 'gguf-setting'],
    ['heads that turn in part', 'llama2', { rope_parameters: { partial_rotary_factor: 0.5 } }, 'gguf-setting'],
    ['biases that llama.cpp lacks', 'qwen3', { attention_bias: true }, 'gguf-setting'],
    ['windows in other layers', 'gemma3', { layer_types: Array(6).fill('full_attention') }, 'gguf-setting'],
    ['another pattern of windows', 'gemma3', { sliding_window_pattern: 4 }, 'gguf-setting'],
    [
      'a scaling of RoPE that llama.cpp lacks',
      'llama2',
      { rope_scaling: { type: 'dynamic', factor: 2 } },
      'gguf-setting',
    ],
    ['long RoPE in a family without', 'llama2', { rope_scaling: { type: 'longrope' } }, 'gguf-setting'],
    ['no count of heads', 'llama3', { num_attention_heads: null }, 'gguf-config'],
    ['a count that is a text', 'llama3', { hidden_size: '64' }, 'gguf-config'],
    [
      'factors for other dimensions',
      'phi3',
      { rope_scaling: { type: 'longrope', short_factor: [1], long_factor: [1] } },
      'gguf-config',
    ],
    ['heads that rows are no multiple of', 'llama3', { num_attention_heads: 3, head_dim: 16 }, 'gguf-tensor-rows'],
    ['fewer layers than tensors', 'llama3', { num_hidden_layers: 1 }, 'gguf-unmapped-tensors'],
    ['more layers than tensors', 'llama3', { num_hidden_layers: 3 }, 'gguf-missing-tensors'],
  ] as const)('%s', (_, name, config, code) => {
    expect(refusal(name, { config })).toBe(code)
  })

  it('wide models of Gemma scale attention otherwise', () => {
    expect(refusal('gemma2', { config: { query_pre_attn_scalar: 32 } })).toBe(undefined)
    expect(refusal('gemma2', { config: { num_hidden_layers: 46, query_pre_attn_scalar: 32 } })).toBe('gguf-config')
    expect(refusal('gemma2', { config: { num_hidden_layers: 46, query_pre_attn_scalar: 64 } })).toBe('gguf-setting')
  })
})

describe('tensors that the map does not know are refused', () => {
  it('one of another name', () => {
    expect(refusal('qwen2', { tensors: renamed('qwen2', 'layers.1.mlp.up_proj', 'layers.1.mlp.lora_up') })).toBe(
      'gguf-unmapped-tensors',
    )
  })

  it('a gap in the numbers of the experts', () => {
    expect(refusal('mixtral', { tensors: renamed('mixtral', 'experts.3.w1', 'experts.7.w1') })).toBe('gguf-tensor-rows')
  })

  it('experts of several shapes', () => {
    const tensors = requestOf('mixtral', 'F16').tensors.map((tensor) =>
      tensor.name.includes('experts.2.w2') ? { ...tensor, shape: [64, 95] } : tensor,
    )
    expect(refusal('mixtral', { tensors })).toBe('gguf-tensor-rows')
  })
})

it('a head stays out where the embedding is it, and is missed where it is not', () => {
  const { plan, notices } = planConversion(
    requestOf('llama3', 'F16', (config) => (config['tie_word_embeddings'] = true)),
  )
  expect(plan.tensors.map(({ name }) => name)).not.toContain('output.weight')
  expect(notices.map(explainConversionNotice)).toEqual([
    "tensors stay out of the GGUF, the embedding is the head: 'lm_head.weight'",
  ])
  const tensors = requestOf('llama3', 'F16').tensors.filter(({ name }) => name !== 'lm_head.weight')
  expect(refusal('llama3', { tensors })).toBe('gguf-missing-tensors')
})

describe('tokenizers that llama.cpp can not have are refused', () => {
  it('none at all', () => {
    expect(refusal('llama3', { documents: new Map() })).toBe('gguf-no-tokenizer')
  })

  it('a file that is no JSON', () => {
    expect(refusal('llama3', { documents: new Map([['tokenizer.json', '{']]) })).toBe('gguf-tokenizer')
  })

  it('another kind of vocabulary', () => {
    const documents = withTokenizer('llama3', (tokenizer) => (tokenizer.model.type = 'Unigram'))
    expect(refusal('llama3', { documents })).toBe('gguf-tokenizer')
  })

  it('pieces without one for each byte', () => {
    const documents = withTokenizer('mistral-json', (tokenizer) => delete tokenizer.model.vocab['<0x41>'])
    expect(refusal('mistral-json', { documents })).toBe('gguf-tokenizer')
  })

  it('tokens beyond the embedding', () => {
    const documents = withTokenizer('qwen3', (tokenizer) => (tokenizer.model.vocab['one more'] = 400))
    expect(refusal('qwen3', { documents })).toBe('gguf-vocabulary')
  })

  it('a way of splitting text without a name, unless one is given', () => {
    const documents = withTokenizer('llama3', (tokenizer) => {
      tokenizer.pre_tokenizer.pretokenizers[0].pattern.Regex = '\\w+'
    })
    expect(refusal('llama3', { documents })).toBe('gguf-pre-tokenizer')
    expect(refusal('llama3', { documents, preTokenizer: 'llama-bpe' })).toBe(undefined)
    const notesWith = (preTokenizer: string) => planConversion({ ...requestOf('llama3', 'F16'), preTokenizer }).notices
    expect(notesWith('llama-bpe')).toEqual([])
    expect(notesWith('lama-bpe').map(explainConversionNotice)).toEqual([expect.stringMatching(/'lama-bpe'.*llama-bpe/)])
  })

  it.each([
    ['cut', Uint8Array.of(10, 5, 10)],
    ['without pieces', Uint8Array.of()],
    ['of endless numbers', Uint8Array.from({ length: 20 }, () => 255)],
    ['a web page', new TextEncoder().encode('<!DOCTYPE html>')],
  ])('a tokenizer.model that is none: %s', (_, sentencePiece) => {
    expect(refusal('mistral', { sentencePiece })).toBe('gguf-tokenizer')
  })
})

it('added tokens without a row stay out, as do roles that name them, and that is told', () => {
  const documents = withTokenizer('qwen3', (tokenizer) => (tokenizer.added_tokens[0].id = 400))
  const { plan, notices } = planConversion({ ...requestOf('qwen3', 'F16'), documents })
  expect(plan.metadata.get('tokenizer.ggml.tokens')).toMatchObject({ values: { length: 334 } })
  expect(plan.metadata.has('tokenizer.ggml.padding_token_id')).toBe(false)
  expect(notices.map(explainConversionNotice)).toEqual([
    "added tokens stay out of the GGUF, since the embedding has only 334 rows: '<|endoftext|>'",
  ])
})

it('what llama.cpp does not heed is told', () => {
  const { notices } = planConversion(
    requestOf('mistral', 'F16', (config) => Object.assign(config, { sliding_window: 4096 })),
  )
  expect(notices.map(explainConversionNotice)).toEqual([
    'config.json: sliding_window is 4096, which llama.cpp does not heed for this family: it attends to all positions',
  ])
})

it('the text model of a checkpoint that sees is taken out of it, and the rest told', () => {
  const { config, tensors, ...request } = requestOf('gemma3', 'F16')
  const within = [
    ...tensors.map(({ name, shape }) => ({ name: `language_model.${name}`, shape })),
    { name: 'vision_tower.embeddings.weight', shape: [4, 4] },
  ]
  const wrapped = { model_type: 'gemma3', architectures: ['Gemma3ForConditionalGeneration'], text_config: config }
  const alone = planConversion(requestOf('gemma3', 'F16'))
  const { plan, notices } = planConversion({ ...request, config: wrapped, tensors: within })
  expect(plan.metadata).toEqual(alone.plan.metadata)
  expect(plan.tensors.map(({ name }) => name)).toEqual(alone.plan.tensors.map(({ name }) => name))
  expect([...plan.leftOut.keys()]).toEqual(['vision_tower.embeddings.weight'])
  expect(notices.map(explainConversionNotice)).toEqual([
    "tensors stay out of the GGUF, llama.cpp reads the vision model from a file of its own: 'vision_tower.embeddings.weight'",
  ])
})

it('packed experts give the tensors that separate ones give', () => {
  const { tensors, ...request } = requestOf('qwen3moe', 'F16')
  const packed = [0, 1].flatMap((layer) => [
    { name: `model.layers.${layer}.mlp.experts.gate_up_proj`, shape: [4, 64, 64] },
    { name: `model.layers.${layer}.mlp.experts.down_proj`, shape: [4, 64, 32] },
  ])
  const { plan } = planConversion({
    ...request,
    tensors: [...tensors.filter(({ name }) => !name.includes('.experts.')), ...packed],
  })
  const separate = planConversion(requestOf('qwen3moe', 'F16')).plan
  const shapes = (list: typeof plan.tensors) => Object.fromEntries(list.map(({ name, shape }) => [name, shape]))
  expect(shapes(plan.tensors)).toEqual(shapes(separate.tensors))
  const up = plan.tensors.find(({ name }) => name === 'blk.1.ffn_up_exps.weight')!.content
  expect(up).toEqual({
    kind: 'rows',
    parts: [32, 96, 160, 224].map((start) => ({
      source: 'model.layers.1.mlp.experts.gate_up_proj',
      rows: { start, count: 32 },
    })),
  })
})

describe('numbers that no model has take no time and no memory', () => {
  it.each([
    ['layers', 'llama3', { num_hidden_layers: 1e12 }, 'gguf-config'],
    ['heads', 'llama3', { head_dim: 1e12 }, 'gguf-config'],
    ['dimensions that turn', 'phi3', { partial_rotary_factor: 1e12 }, 'gguf-config'],
  ] as const)('%s', (_, name, config, code) => {
    expect(refusal(name, { config })).toBe(code)
  })

  it('ids', () => {
    const far = withTokenizer('mistral-json', (tokenizer) => (tokenizer.model.vocab['▁'] = 4e9))
    expect(refusal('mistral-json', { documents: far })).toBe('gguf-vocabulary')
  })
})

it('a tokenizer.model that was changed anywhere is read or refused', () => {
  const { sentencePiece } = requestOf('mistral', 'F16')
  fc.assert(
    fc.property(fc.nat(sentencePiece!.length - 1), fc.uint8Array({ maxLength: 12 }), (at, bytes) => {
      const changed = Uint8Array.from(sentencePiece!)
      changed.set(bytes.subarray(0, changed.length - at), at)
      expect([undefined, 'gguf-tokenizer', 'gguf-vocabulary']).toContain(refusal('mistral', { sentencePiece: changed }))
    }),
  )
})

describe('config.json as transformers 5 writes it says the same', () => {
  const expectSame = (name: string, change: (config: Record<string, unknown>) => void) => {
    const before = planConversion(requestOf(name, 'F16')).plan
    const after = planConversion(requestOf(name, 'F16', change)).plan
    expect(after.metadata).toEqual(before.metadata)
    expect(after.tensors).toEqual(before.tensors)
  }

  it('of a scaled RoPE', () =>
    expectSame('llama3', (config) => {
      const { rope_scaling: scaling, rope_theta } = config
      config['rope_parameters'] = { ...(scaling as object), rope_theta }
      delete config['rope_scaling']
      delete config['rope_theta']
    }))

  it('of one for each kind of layer', () =>
    expectSame('gemma3', (config) => {
      const { rope_scaling: scaling, rope_theta, rope_local_base_freq } = config
      config['rope_parameters'] = {
        full_attention: { ...(scaling as object), rope_theta },
        sliding_attention: { rope_type: 'default', rope_theta: rope_local_base_freq },
      }
      for (const key of ['rope_scaling', 'rope_theta', 'rope_local_base_freq', 'sliding_window_pattern'])
        delete config[key]
      config['layer_types'] = [...Array(5).fill('sliding_attention'), 'full_attention']
    }))

  it('of the positions that a long RoPE began with', () =>
    expectSame('phi3', (config) => {
      const { rope_scaling: scaling, original_max_position_embeddings, partial_rotary_factor } = config
      config['rope_parameters'] = { ...(scaling as object), original_max_position_embeddings, partial_rotary_factor }
      for (const key of ['rope_scaling', 'original_max_position_embeddings', 'partial_rotary_factor'])
        delete config[key]
    }))
})
