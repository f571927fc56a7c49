import { describe, expect, it } from 'vitest'
import { madeCases, requestOf } from './__fixtures__/cases.ts'
import { planConversion } from './plan-conversion.ts'
import { restoreModel } from './restore-model.ts'

const plannedFor = (name: string) => {
  const request = requestOf(name, 'F16')
  const { plan } = planConversion(request)
  return { request, model: { metadata: plan.metadata, tensors: plan.tensors } }
}

describe('restoreModel', () => {
  it.each(madeCases)('gives a GGUF of %s the names, shapes and settings that it was made from', (name) => {
    const { request, model } = plannedFor(name)
    const { config, tensors } = restoreModel(model, request.config)
    const shapes = (list: readonly { readonly name: string; readonly shape: readonly number[] }[]) =>
      Object.fromEntries(list.map((tensor) => [tensor.name, tensor.shape.join()]))
    expect(shapes(tensors)).toEqual(shapes(request.tensors))
    const { torch_dtype: _, ...own } = request.config
    expect(config).toMatchObject(own)
  })

  it('takes what the file says before what the other model does', () => {
    const { request, model } = plannedFor('llama3')
    const { config } = restoreModel(model, { ...request.config, num_hidden_layers: 40, rms_norm_eps: 1, vocab_size: 7 })
    expect(config['num_hidden_layers']).toBe(request.config['num_hidden_layers'])
    expect(Math.fround(config['rms_norm_eps'] as number)).toBe(Math.fround(request.config['rms_norm_eps'] as number))
    expect(config['vocab_size']).toBe(request.config['vocab_size'])
  })

  it('refuses a model of another family, and tensors that the map does not know', () => {
    const { request, model } = plannedFor('llama3')
    const code = (value: string) => expect.objectContaining({ code: value })
    expect(() => restoreModel(model, { ...request.config, model_type: 'qwen2' })).toThrow(code('gguf-no-way-back'))
    const more = [...model.tensors, { name: 'blk.0.new.weight', shape: [4] }]
    expect(() => restoreModel({ ...model, tensors: more }, request.config)).toThrow(code('gguf-unrestored-tensors'))
    const odd = model.tensors.map((tensor) =>
      tensor.name === 'blk.0.attn_q.weight' ? { ...tensor, shape: [3, 4] } : tensor,
    )
    expect(() => restoreModel({ ...model, tensors: odd }, request.config)).toThrow(code('gguf-tensor-rows'))
  })
})
