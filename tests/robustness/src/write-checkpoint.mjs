import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The bytes of a safetensors file before its data.
 * @param {string} json
 */
export function headerBytes(json) {
  const text = Buffer.from(json)
  const bytes = Buffer.alloc(8 + text.length)
  bytes.writeBigUInt64LE(BigInt(text.length))
  text.copy(bytes, 8)
  return bytes
}

/**
 * Writes a Llama-like checkpoint of bfloat16 numbers that look like weights.
 * @param {string} folder
 * @param {{ megabytes: number, seed: number, layerCount?: number }} options
 */
export function writeCheckpoint(folder, { megabytes, seed, layerCount = 12 }) {
  mkdirSync(folder, { recursive: true })
  const width = 256
  const rows = Math.max(1, Math.round((megabytes * 2 ** 20) / 2 / width / (3 * layerCount + 2)))
  const names = ['model.embed_tokens.weight', 'lm_head.weight']
  for (let layer = 0; layer < layerCount; layer++)
    for (const part of ['self_attn.q_proj', 'self_attn.o_proj', 'mlp.up_proj'])
      names.push(`model.layers.${layer}.${part}.weight`)
  const tensorBytes = rows * width * 2
  const entries = names.map((name, index) => [
    name,
    { dtype: 'BF16', shape: [rows, width], data_offsets: [index * tensorBytes, (index + 1) * tensorBytes] },
  ])
  const file = openSync(join(folder, 'model.safetensors'), 'w')
  writeSync(file, headerBytes(JSON.stringify(Object.fromEntries(entries))))
  for (let index = 0; index < names.length; index++) writeSync(file, weights(rows * width, seed * 1000 + index))
  closeSync(file)
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    num_hidden_layers: layerCount,
    hidden_size: width,
    vocab_size: rows,
  }
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({ ...config, tie_word_embeddings: false, torch_dtype: 'bfloat16' }),
  )
}

/** Numbers of magnitude 2^-14 to 2^-6. */
function weights(count, seed) {
  const words = new Uint16Array(count)
  let state = (seed * 2654435761 + 1) >>> 0
  for (let index = 0; index < count; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = (state & 0x83ff) + 0x3880
  }
  return words
}
