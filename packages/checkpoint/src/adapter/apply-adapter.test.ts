import { readSafetensorsHeader } from '@mk/safetensors/node'
import { nodeFiles } from '@mk/source/node'
import { describe, expect, test } from 'vitest'
import type { TensorSource } from '@mk/source'
import { CheckpointError } from '../errors.ts'
import { parseAdapterConfig } from './adapter-config.ts'
import { applyAdapter } from './apply-adapter.ts'
import { type Adapter, openAdapter } from './open-adapter.ts'

const golden = (name: string): string => new URL(`../../../../goldens/models/${name}`, import.meta.url).pathname

const tensor = (shape: readonly number[], file = 'model', dtype: TensorSource['dtype'] = 'BF16'): TensorSource => ({
  kind: 'file',
  dtype,
  shape,
  file,
  byteStart: 0,
})
const sources = (shapes: Readonly<Record<string, readonly number[]>>, file?: string, dtype?: TensorSource['dtype']) =>
  new Map(Object.entries(shapes).map(([name, shape]) => [name, tensor(shape, file, dtype)]))

function adapter(
  shapes: Readonly<Record<string, readonly number[]>>,
  config: Readonly<Record<string, unknown>> = {},
): Adapter {
  const text = JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 8, ...config })
  return {
    name: 'some/adapter',
    settings: parseAdapterConfig(text, 'adapter_config.json'),
    tensors: sources(shapes, 'adapter', 'F32'),
  }
}

const q = 'model.layers.0.self_attn.q_proj'
const model = sources({
  'model.embed_tokens.weight': [10, 4],
  [`${q}.weight`]: [6, 4],
  [`${q}.bias`]: [6],
  'model.norm.weight': [4],
})
const onQ = { [`base_model.model.${q}.lora_A.weight`]: [2, 4], [`base_model.model.${q}.lora_B.weight`]: [6, 2] }

describe('factors', () => {
  test('a module with factors becomes W + scale · B·A in the dtype of W; the others stay', () => {
    const { tensors, notes } = applyAdapter(model, adapter(onQ))
    expect([...tensors.keys()]).toEqual([...model.keys()])
    expect(tensors.get(`${q}.weight`)).toEqual({
      kind: 'lora',
      dtype: 'BF16',
      shape: [6, 4],
      source: model.get(`${q}.weight`),
      a: tensor([2, 4], 'adapter', 'F32'),
      b: tensor([6, 2], 'adapter', 'F32'),
      scale: 4,
      transposed: false,
    })
    expect(tensors.get('model.norm.weight')).toBe(model.get('model.norm.weight'))
    expect(notes).toEqual([])
  })

  test('the golden adapter finds all its places in its model', async () => {
    const opened = await openAdapter(nodeFiles, golden('lora-qvd'))
    const { tensors: entries } = await readSafetensorsHeader(golden('llama-base/model.safetensors'))
    const base = new Map(entries.map(({ name, dtype, shape }) => [name, tensor(shape, 'model', dtype)]))
    const adapted = [...applyAdapter(base, opened).tensors].filter(([, source]) => source.kind === 'lora')
    expect(adapted.length).toBe(opened.tensors.size / 2)
    expect(new Set(adapted.map(([name]) => name.split('.').at(-2)))).toEqual(new Set(['q_proj', 'v_proj', 'down_proj']))
    expect(adapted.every(([, source]) => source.kind === 'lora' && source.scale === 2)).toBe(true)
  })

  test('adapters lie over one another', () => {
    const first = applyAdapter(model, adapter(onQ)).tensors
    const second = applyAdapter(first, adapter(onQ, { lora_alpha: 1 })).tensors
    expect(second.get(`${q}.weight`)).toMatchObject({ kind: 'lora', scale: 0.5, source: { kind: 'lora', scale: 4 } })
  })

  test('factors are also found under the name of their adapter', () => {
    const named = {
      [`base_model.model.${q}.lora_A.default.weight`]: [2, 4],
      [`base_model.model.${q}.lora_B.default.weight`]: [6, 2],
    }
    expect(applyAdapter(model, adapter(named)).tensors.get(`${q}.weight`)?.kind).toBe('lora')
  })

  test('fan_in_fan_out: the weight is [in, out]', () => {
    const gpt2 = sources({ 'h.0.attn.c_attn.weight': [4, 6] })
    const factors = {
      'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight': [2, 4],
      'base_model.model.transformer.h.0.attn.c_attn.lora_B.weight': [6, 2],
    }
    const { tensors } = applyAdapter(gpt2, adapter(factors, { fan_in_fan_out: true }))
    expect(tensors.get('h.0.attn.c_attn.weight')).toMatchObject({ kind: 'lora', transposed: true, shape: [4, 6] })
    expect(() => applyAdapter(gpt2, adapter(factors))).toThrow(expect.objectContaining({ code: 'adapter-shape' }))
  })

  test('the factors of an embedding are [r, tokens] and [width, r]', () => {
    const factors = {
      'base_model.model.model.embed_tokens.lora_embedding_A': [2, 10],
      'base_model.model.model.embed_tokens.lora_embedding_B': [4, 2],
    }
    expect(applyAdapter(model, adapter(factors)).tensors.get('model.embed_tokens.weight')).toMatchObject({
      kind: 'lora',
      transposed: true,
      shape: [10, 4],
    })
  })
})

describe('scale', () => {
  const scaleOf = (config: Readonly<Record<string, unknown>>): number => {
    const source = applyAdapter(model, adapter(onQ, config)).tensors.get(`${q}.weight`)
    return source?.kind === 'lora' ? source.scale : Number.NaN
  }
  test('is alpha / r', () => expect(scaleOf({ lora_alpha: 3 })).toBe(1.5))
  test('is alpha / √r with use_rslora', () => expect(scaleOf({ use_rslora: true })).toBe(8 / Math.SQRT2))
  test('alpha_pattern names the end of a module', () =>
    expect(scaleOf({ alpha_pattern: { k_proj: 1, 'self_attn.q_proj': 16 } })).toBe(8))
  test('alpha_pattern may be an expression', () =>
    expect(scaleOf({ alpha_pattern: { 'layers\\.\\d+\\.self_attn\\.(q|k)_proj': 2 } })).toBe(1))
  test('alpha_pattern matches whole segments', () =>
    expect(scaleOf({ alpha_pattern: { proj: 2, 'attn.q_proj': 2 } })).toBe(4))
  test('the first of several patterns counts', () =>
    expect(scaleOf({ alpha_pattern: { [`^${q}`]: 2, q_proj: 6 } })).toBe(1))
  test('rank_pattern is the rank and divides', () => expect(scaleOf({ r: 64, rank_pattern: { q_proj: 2 } })).toBe(4))
})

describe('tensors trained whole', () => {
  test('modules_to_save and biases replace those of the model', () => {
    const whole = { 'base_model.model.model.norm.weight': [4], [`base_model.model.${q}.base_layer.bias`]: [6] }
    const { tensors } = applyAdapter(model, adapter({ ...onQ, ...whole }, { modules_to_save: ['norm'], bias: 'all' }))
    expect(tensors.get('model.norm.weight')).toEqual(tensor([4], 'adapter', 'F32'))
    expect(tensors.get(`${q}.bias`)).toEqual(tensor([6], 'adapter', 'F32'))
  })

  test('an embedding can be replaced and adapted', () => {
    const both = {
      'base_model.model.model.embed_tokens.lora_embedding_A': [2, 10],
      'base_model.model.model.embed_tokens.lora_embedding_B': [4, 2],
      'base_model.model.model.embed_tokens.base_layer.weight': [10, 4],
    }
    expect(applyAdapter(model, adapter(both)).tensors.get('model.embed_tokens.weight')).toMatchObject({
      kind: 'lora',
      source: { file: 'adapter' },
    })
  })

  test('a head trained apart from tied embeddings is added, and told', () => {
    const head = { 'base_model.model.lm_head.modules_to_save.default.weight': [10, 4] }
    const { tensors, notes } = applyAdapter(model, adapter(head, { modules_to_save: ['lm_head'] }))
    expect(tensors.get('lm_head.weight')).toEqual(tensor([10, 4], 'adapter', 'F32'))
    expect(notes).toEqual([expect.stringContaining('lm_head.weight')])
  })
})

describe('names', () => {
  const place = (names: readonly string[], module: string) => {
    const factors = {
      [`base_model.model.${module}.lora_A.weight`]: [2, 4],
      [`base_model.model.${module}.lora_B.weight`]: [6, 2],
    }
    const { tensors } = applyAdapter(sources(Object.fromEntries(names.map((name) => [name, [6, 4]]))), adapter(factors))
    return [...tensors].filter(([, source]) => source.kind === 'lora').map(([name]) => name)
  }
  test.each([
    ['language_model.model.layers.0.q.weight', 'model.layers.0.q'],
    ['model.language_model.layers.0.q.weight', 'model.layers.0.q'],
    ['model.layers.0.q.weight', 'model.language_model.layers.0.q'],
    ['h.0.mlp.c_fc.weight', 'transformer.h.0.mlp.c_fc'],
    ['bert.encoder.layer.0.q.weight', 'encoder.layer.0.q'],
    ['encoder.layer.0.q.weight', 'bert.encoder.layer.0.q'],
    ['thinker.model.layers.0.q.weight', 'model.layers.0.q'],
  ])('%s takes the factors of %s', (name, module) => {
    expect(place([name, 'vision_tower.layers.7.q.weight', 'model.layers.1.q.weight'], module)).toEqual([name])
  })

  test('a name that could be either of two is refused', () => {
    expect(() => place(['text.layers.0.q.weight', 'vision.layers.0.q.weight'], 'model.layers.0.q')).toThrow(
      expect.objectContaining({
        code: 'adapter-unmatched',
        issue: expect.objectContaining({ candidates: ['text.layers.0.q.weight', 'vision.layers.0.q.weight'] }),
      }),
    )
  })
})

test('what an adapter is for is told by the tensors that it could be for, be it one, or that there is none', () => {
  const textOf = (candidates: readonly string[]) =>
    new CheckpointError({ code: 'adapter-unmatched', adapter: 'a', tensor: 't', expected: 'q', candidates }).message
  expect(textOf(['x.q', 'y.q'])).toBe("a: tensor 't' could be for any of x.q, y.q; expected the model to have one 'q'")
  expect(textOf(['x.q'])).toBe("a: tensor 't' could be for any of x.q; expected the model to have one 'q'")
  expect(textOf([])).toBe("a: tensor 't' is for 'q', which the model does not have; is the adapter for another model?")
})

describe('factors for the head of a model that ties it to its embedding', () => {
  const embedding = 'model.embed_tokens.weight'
  const onHead = { 'base_model.model.lm_head.lora_A.weight': [2, 4], 'base_model.model.lm_head.lora_B.weight': [6, 2] }
  const onTied = (tie_word_embeddings: boolean) =>
    applyAdapter(sources({ [embedding]: [6, 4] }), adapter(onHead), { model_type: 'llama', tie_word_embeddings })

  test('give it a head of its own', () => {
    const { tensors, notes } = onTied(true)
    expect(tensors.get('lm_head.weight')).toMatchObject({ kind: 'lora', source: tensors.get(embedding) })
    expect(notes).toEqual([
      expect.stringContaining("changes the head 'lm_head.weight', which the model ties to its embedding"),
    ])
  })

  test('are refused where the head is no copy of it', () =>
    expect(() => onTied(false)).toThrow(expect.objectContaining({ code: 'adapter-unmatched' })))
})

describe('an adapter that does not fit', () => {
  const refused = (
    shapes: Readonly<Record<string, readonly number[]>>,
    config: Readonly<Record<string, unknown>> = {},
    onto = model,
  ): unknown => {
    try {
      return applyAdapter(onto, adapter(shapes, config))
    } catch (error) {
      return error
    }
  }
  const [a, b] = [`base_model.model.${q}.lora_A.weight`, `base_model.model.${q}.lora_B.weight`]

  test('a tensor for a module that the model lacks is named', () =>
    expect(
      refused({
        'base_model.model.model.layers.9.mlp.up.lora_A.weight': [2, 4],
        'base_model.model.model.layers.9.mlp.up.lora_B.weight': [6, 2],
      }),
    ).toMatchObject({
      code: 'adapter-unmatched',
      message: expect.stringContaining("'model.layers.9.mlp.up.weight'"),
    }))
  test('a tensor of an unknown kind is named', () =>
    expect(refused({ ...onQ, [`base_model.model.${q}.lora_magnitude_vector`]: [6] })).toMatchObject({
      code: 'adapter-unmatched',
    }))
  test('a head that was not trained whole is not added', () =>
    expect(refused({ 'base_model.model.lm_head.weight': [10, 4] })).toMatchObject({ code: 'adapter-unmatched' }))
  test('half a pair', () =>
    expect(refused({ [a]: [2, 4] })).toMatchObject({ code: 'adapter-incomplete', issue: { missing: b } }))
  test('a rank that the config does not give', () =>
    expect(refused({ [a]: [3, 4], [b]: [6, 3] })).toMatchObject({
      code: 'adapter-rank',
      issue: { found: 3, expected: 2 },
    }))
  test('factors of another width: both tensors are named', () =>
    expect(refused({ [a]: [2, 5], [b]: [6, 2] })).toMatchObject({
      code: 'adapter-shape',
      message: expect.stringMatching(/lora_A.*\[2, 5\].*q_proj\.weight' \[6, 4\]; expected \[2, 4\]/),
    }))
  test('factors of another height', () =>
    expect(refused({ [a]: [2, 4], [b]: [7, 2] })).toMatchObject({ code: 'adapter-shape', issue: { tensor: b } }))
  test('factors that are no matrices', () =>
    expect(refused({ [a]: [2, 4, 1], [b]: [6, 2] })).toMatchObject({ code: 'adapter-shape' }))
  test('factors for a vector', () =>
    expect(
      refused({
        'base_model.model.model.norm.lora_A.weight': [2, 4],
        'base_model.model.model.norm.lora_B.weight': [4, 2],
      }),
    ).toMatchObject({ code: 'adapter-shape' }))
  test('a replacement of another shape', () =>
    expect(refused({ 'base_model.model.model.norm.weight': [5] })).toMatchObject({ code: 'adapter-shape' }))
  test('a weight of integers', () =>
    expect(refused(onQ, {}, sources({ [`${q}.weight`]: [6, 4] }, 'model', 'U8'))).toMatchObject({
      code: 'adapter-dtype',
      issue: { tensor: `${q}.weight` },
    }))
  test('two tensors for one place', () =>
    expect(refused({ 'base_model.model.model.norm.weight': [4], 'model.norm.weight': [4] })).toMatchObject({
      code: 'adapter-twice',
    }))

  test.each([
    ['lora_A', 'lora_B'],
    ['lora_B', 'lora_A'],
    ['lora_embedding_A', 'lora_embedding_B'],
    ['lora_embedding_B', 'lora_embedding_A'],
  ])('%s without %s', (has, lacks) => {
    const name = (side: string) => `base_model.model.${q}.${side}`
    expect(refused({ [name(has)]: [2, 4] })).toMatchObject({
      code: 'adapter-incomplete',
      issue: { adapter: 'some/adapter', tensor: name(has), missing: name(lacks) },
    })
  })
  test('a factor twice, under the name of an adapter and without one', () => {
    const named = `base_model.model.${q}.lora_A.default.weight`
    expect(refused({ ...onQ, [named]: [2, 4] })).toMatchObject({
      code: 'adapter-twice',
      issue: { adapter: 'some/adapter', tensor: named, other: a, target: `${q}.weight` },
    })
  })
  test('factors of two modules that are one in the model', () => {
    const other = `base_model.model.base_model.${q}`
    expect(refused({ ...onQ, [`${other}.lora_A.weight`]: [2, 4], [`${other}.lora_B.weight`]: [6, 2] })).toMatchObject({
      code: 'adapter-twice',
      issue: { target: `${q}.weight` },
    })
  })
  test.each(['lora_A', 'lora_B'])('%s of integers', (side) => {
    const shaped = adapter(onQ)
    const name = `base_model.model.${q}.${side}.weight`
    const tensors = new Map(
      [...shaped.tensors].map(([key, one]) => [key, key === name ? { ...one, dtype: 'I8' as const } : one]),
    )
    expect(() => applyAdapter(model, { ...shaped, tensors })).toThrow(
      expect.objectContaining({ code: 'adapter-dtype', issue: expect.objectContaining({ tensor: name, dtype: 'I8' }) }),
    )
  })
  test.each(['F64', 'F16', 'F32', 'BF16', 'F8_E4M3'] as const)('but weights of %s are floats', (dtype) => {
    expect(refused(onQ, {}, sources({ [`${q}.weight`]: [6, 4] }, 'model', dtype))).toHaveProperty('tensors')
  })
})
