import { layoutFile } from '@mk/safetensors'

/** The files of a model of two layers, in memory. */
export function tinyModel(name, seed) {
  const tensors = [0, 1].map((layer) => ({
    name: `model.layers.${layer}.mlp.up_proj.weight`,
    dtype: 'F32',
    shape: [4, 4],
  }))
  const { header, fileBytes, tensors: placed } = layoutFile(tensors, {})
  const bytes = new Uint8Array(fileBytes)
  bytes.set(header)
  for (const { byteStart } of placed)
    bytes.set(
      new Uint8Array(Float32Array.from({ length: 16 }, (_, index) => Math.fround(Math.sin(seed + index))).buffer),
      byteStart,
    )
  const config = { model_type: 'llama', architectures: ['LlamaForCausalLM'], num_hidden_layers: 2 }
  return [
    [`/${name}/config.json`, new TextEncoder().encode(JSON.stringify(config))],
    [`/${name}/model.safetensors`, bytes],
  ]
}
