import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import {
  type RawTensor,
  writeQuantizedModel,
  writeSafetensors,
} from '../../../checkpoint/src/quantization/__fixtures__/quantized-model.ts'
import { mergeIn } from '../__fixtures__/merge.ts'
import { bytesIn, readJson, useFolder, writeModel } from '../__fixtures__/models.ts'

const folder = useFolder()
let outputs = 0

const llama = { architectures: ['LlamaForCausalLM'], num_hidden_layers: 2, hidden_size: 8, vocab_size: 6 }
const rest = (): [string, RawTensor][] =>
  [
    ['model.embed_tokens.weight', [6, 8]],
    ['model.norm.weight', [8]],
    ['lm_head.weight', [6, 8]],
  ].map(([name, shape]) => {
    const count = (shape as number[]).reduce((product, size) => product * size, 1)
    const data = new Uint8Array(Float32Array.from({ length: count }, (_, i) => Math.sin(i)).buffer)
    return [name as string, { dtype: 'F32', shape: shape as number[], data }]
  })

/**
 * Writes a fixture's weights as those of a Llama: `quantized` with the codes, `plain` with what the library makes of them, and `other` and
 * `third` with other values of the same shapes.
 */
async function writeModels(fixture: string): Promise<void> {
  const layers = ['model.layers.0.self_attn.q_proj', 'model.layers.1.self_attn.q_proj']
  const name = (tensor: string) => tensor.replace(/^(a|model\.layers\.\d)(?=\.)/, '')
  const { expected, config } = await writeQuantizedModel(
    fixture,
    join(folder.path, 'quantized'),
    (tensors, settings) => {
      const first = [...tensors]
      tensors.clear()
      for (const layer of layers) for (const [tensor, raw] of first) tensors.set(layer + name(tensor), raw)
      for (const [tensor, raw] of rest()) tensors.set(tensor, raw)
      Object.assign(settings, llama, { torch_dtype: 'bfloat16' })
    },
  )
  const { shape, values } = expected.get('a.weight')!
  const data = new Uint8Array(values.buffer)
  const { quantization_config: _, ...plain } = config
  await writeSafetensors(
    join(folder.path, 'plain'),
    { ...plain, torch_dtype: 'float32' },
    new Map([...layers.map((layer) => [`${layer}.weight`, { dtype: 'F32', shape, data }] as const), ...rest()]),
  )
  const tensors = Object.fromEntries([
    ...layers.map((layer) => [`${layer}.weight`, { shape }] as const),
    ...rest().map(([tensor, raw]) => [tensor, { shape: raw.shape }] as const),
  ])
  const settings = { ...llama, model_type: 'llama', torch_dtype: 'float32' }
  await writeModel(join(folder.path, 'other'), { config: settings, tensors, seed: 2 })
  await writeModel(join(folder.path, 'third'), { config: settings, tensors, seed: 3 })
}

const recipes: Readonly<Record<string, (model: string) => string>> = {
  linear: (model) => `models:
  - {model: ${model}, parameters: {weight: 0.3}}
  - {model: other, parameters: {weight: 0.7}}
merge_method: linear`,
  'ties, as a model': (model) => `models:
  - {model: ${model}, parameters: {weight: 0.6, density: 0.5}}
  - {model: other, parameters: {weight: 0.5, density: 0.7}}
merge_method: ties
base_model: third`,
  'ties, as the base': (model) => `models:
  - {model: third, parameters: {weight: 0.6, density: 0.5}}
  - {model: other, parameters: {weight: 0.5, density: 0.7}}
merge_method: ties
base_model: ${model}`,
  slerp: (model) => `models: [{model: other}, {model: ${model}}]
merge_method: slerp
base_model: ${model}
parameters: {t: 0.4}`,
  slices: (model) => `slices:
  - sources: [{model: ${model}, layer_range: [1, 2]}]
  - sources: [{model: other, layer_range: [0, 1]}]
merge_method: passthrough`,
}

describe.each([
  'bitsandbytes-nf4-double',
  'bitsandbytes-int8',
  'gptq-4-act-order',
  'awq',
  'compressed-tensors-pack-4-asymmetric',
  'compressed-tensors-nvfp4',
])('a merge from %s', (fixture) => {
  it.each(Object.keys(recipes))('equals that from the weights its library makes of it: %s', async (recipe) => {
    await writeModels(fixture)
    const text = (model: string) => `${recipes[recipe]!(model)}\ndtype: float32`
    const out = (name: string) => join(folder.path, name)
    const { tensors } = await mergeIn(folder.path, text('quantized'), { out: out('a') })
    await mergeIn(folder.path, text('plain'), { out: out('b') })
    expect(Object.keys(tensors)).toHaveLength(5)
    const [a, b] = [await bytesIn(out('a')), await bytesIn(out('b'))]
    expect(a['model.safetensors']).toBe(b['model.safetensors'])
  })
})

describe('a quantized model', () => {
  it('takes adapters that were trained on it, as its weights do', async () => {
    await writeModels('bitsandbytes-nf4')
    const values = (count: number) => new Uint8Array(Float32Array.from({ length: count }, (_, i) => Math.cos(i)).buffer)
    const path = 'base_model.model.model.layers.0.self_attn.q_proj'
    await writeSafetensors(
      join(folder.path, 'lora'),
      {},
      new Map<string, RawTensor>([
        [`${path}.lora_A.weight`, { dtype: 'F32', shape: [2, 40], data: values(80) }],
        [`${path}.lora_B.weight`, { dtype: 'F32', shape: [6, 2], data: values(12) }],
      ]),
    )
    const adapter = { peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['q_proj'], base_model_name_or_path: 'x' }
    await writeFile(join(folder.path, 'lora', 'adapter_config.json'), JSON.stringify(adapter))
    await rename(join(folder.path, 'lora', 'model.safetensors'), join(folder.path, 'lora', 'adapter_model.safetensors'))
    const merged = async (model: string) => {
      const out = join(folder.path, `out-${outputs++}`)
      await mergeIn(folder.path, `${recipes['linear']!(model)}\ndtype: float32`, { out })
      return (await bytesIn(out))['model.safetensors']
    }
    expect(await merged('quantized+lora')).toBe(await merged('plain+lora'))
    expect(await merged('quantized+lora')).not.toBe(await merged('quantized'))
  })

  it('becomes an ordinary one in the dtype that config.json says, and the result tells', async () => {
    await writeModels('gptq-4-v2')
    const text = 'models: [{model: quantized}]\nmerge_method: passthrough'
    const { tensors, plan, out } = await mergeIn(folder.path, text)
    expect(tensors['model.layers.0.self_attn.q_proj.weight']!.dtype).toBe('BF16')
    const config = await readJson(join(out, 'config.json'))
    expect(config).not.toHaveProperty('quantization_config')
    expect(config['torch_dtype']).toBe('bfloat16')
    const note = 'quantized: 2 tensors are dequantized (gptq) while reading'
    expect(plan.notes.some((each) => each.endsWith(note))).toBe(true)
    expect(Buffer.from((await bytesIn(out))['README.md']!, 'base64').toString()).toContain(note)
  })
})
