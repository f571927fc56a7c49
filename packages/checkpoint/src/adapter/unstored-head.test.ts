import { describe, expect, test } from 'vitest'
import type { TensorSource } from '@mk/source'
import { parseAdapterConfig } from './adapter-config.ts'
import { applyAdapter } from './apply-adapter.ts'
import type { Adapter } from './open-adapter.ts'

const sources = (shapes: Readonly<Record<string, readonly number[]>>, file = 'model') =>
  new Map(
    Object.entries(shapes).map(([name, shape]): [string, TensorSource] => [
      name,
      { kind: 'file', dtype: 'F32', shape, file, byteStart: 0 },
    ]),
  )

const adapter = (shapes: Readonly<Record<string, readonly number[]>>, config: object = {}): Adapter => ({
  name: 'some/adapter',
  settings: parseAdapterConfig(JSON.stringify({ peft_type: 'LORA', r: 2, lora_alpha: 8, ...config }), 'f.json'),
  tensors: sources(shapes, 'adapter'),
})

describe('a head that the model does not store', () => {
  const names = ['lm_head', 'embed_out', 'output', 'proj_out']
  const factors = (head: string) => ({
    [`base_model.model.${head}.lora_A.weight`]: [2, 4],
    [`base_model.model.${head}.lora_B.weight`]: [6, 2],
  })
  const tied = { model_type: 'llama', tie_word_embeddings: true }
  const embedding = sources({ 'model.embed_tokens.weight': [6, 4] })

  test.each(names)('%s gets factors of its own where the model ties it', (head) => {
    expect(applyAdapter(embedding, adapter(factors(head)), tied).tensors.get(`${head}.weight`)?.kind).toBe('lora')
  })

  test.each(['my_lm_head', 'lm_headx', 'norm'])('%s is none', (module) => {
    expect(() => applyAdapter(embedding, adapter(factors(module)), tied)).toThrow(
      expect.objectContaining({ code: 'adapter-unmatched' }),
    )
  })

  test('is refused beside another one that is stored', () => {
    const stored = sources({ 'model.embed_tokens.weight': [6, 4], 'lm_head.weight': [6, 4] })
    expect(() => applyAdapter(stored, adapter(factors('embed_out')), tied)).toThrow(
      expect.objectContaining({ code: 'adapter-unmatched' }),
    )
  })

  test.each(['lm_head', 'embed_out', 'output'])('%s is added where it was trained whole', (head) => {
    const whole = adapter({ [`base_model.model.${head}.weight`]: [6, 4] }, { modules_to_save: ['x', head] })
    const { tensors, notes } = applyAdapter(embedding, whole)
    expect(tensors.get(`${head}.weight`)).toMatchObject({ file: 'adapter' })
    expect(notes).toEqual([`some/adapter: its head '${head}.weight' is added to a model that had none of its own`])
    expect(() => applyAdapter(embedding, adapter({ [`base_model.model.${head}.weight`]: [6, 4] }))).toThrow(
      expect.objectContaining({ code: 'adapter-unmatched' }),
    )
  })

  test('is added once', () => {
    const shapes = { 'base_model.model.lm_head.weight': [6, 4], 'lm_head.modules_to_save.weight': [6, 4] }
    expect(() => applyAdapter(embedding, adapter(shapes, { modules_to_save: ['lm_head'] }))).toThrow(
      expect.objectContaining({
        code: 'adapter-twice',
        issue: expect.objectContaining({ target: 'lm_head.weight', tensor: 'lm_head.modules_to_save.weight' }),
      }),
    )
  })
})
