import { layoutFile } from '@mk/safetensors'

export const id = 'org/model'
export const commit = 'c0ffee'.padEnd(40, '0')

/** A safetensors file with one F32 tensor of counting numbers. */
export function safetensors(name: string, elements: number): Uint8Array {
  const { header } = layoutFile([{ name, dtype: 'F32', shape: [elements] }], {})
  const data = Float32Array.from({ length: elements }, (_, index) => index)
  return new Uint8Array(Buffer.concat([header, new Uint8Array(data.buffer)]))
}

export const shardNames = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const

export const sharded: Readonly<Record<string, Uint8Array | string>> = {
  'config.json': JSON.stringify({ model_type: 'llama' }),
  'tokenizer.json': '{}',
  'tokenizer_config.json': '{}',
  'README.md': '# about',
  'model.gguf': 'GGUF',
  'pytorch_model.bin': 'never fetched',
  'model.safetensors.index.json': JSON.stringify({ metadata: {}, weight_map: { a: shardNames[0], b: shardNames[1] } }),
  [shardNames[0]]: safetensors('a', 50_000),
  [shardNames[1]]: safetensors('b', 1000),
}
