// Llama checkpoints of random bf16 weights, fine-tunes of one base: δ is small against the weights, as in real ones.
import { closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { formatIndex, layoutFile } from '@mk/safetensors'

/** Sizes by the name that --size takes: hidden, intermediate, layers, vocabulary, key-value width. */
const sizes = {
  '1.1B': { hidden: 2048, intermediate: 5632, layers: 22, vocabulary: 32000, kv: 256 },
  '294M': { hidden: 2048, intermediate: 5632, layers: 4, vocabulary: 32000, kv: 256 },
  '60M': { hidden: 768, intermediate: 2048, layers: 6, vocabulary: 16000, kv: 256 },
  '11B': { hidden: 4096, intermediate: 14336, layers: 48, vocabulary: 32000, kv: 1024 },
}

export const sizeNames = Object.keys(sizes)

/**
 * Writes `<folder>/<size>-adapter-<index>` unless it is there: factors of a rank for all linear layers of such a model, of no meaning.
 * What two of them change has nothing in common.
 */
export function makeAdapter(folder, size, { index, rank }) {
  const path = join(folder, `${size}-adapter-${index}-${rank}`)
  mkdirSync(path, { recursive: true })
  if (existsSync(join(path, 'adapter_config.json'))) return path
  const linear = tensorsOf(sizes[size]).filter(({ name }) => name.endsWith('_proj.weight'))
  const factors = linear.flatMap(({ name, dtype, shape: [rows, columns] }) => {
    const module = `base_model.model.${name.slice(0, -'.weight'.length)}`
    return [
      { name: `${module}.lora_A.weight`, dtype, shape: [rank, columns] },
      { name: `${module}.lora_B.weight`, dtype, shape: [rows, rank] },
    ]
  })
  writeShard(join(path, 'adapter_model.safetensors'), factors, 0, `adapter ${index}: `)
  const modules = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'].map((name) => `${name}_proj`)
  const config = { peft_type: 'LORA', r: rank, lora_alpha: rank, bias: 'none', target_modules: modules }
  writeFileSync(join(path, 'adapter_config.json'), JSON.stringify(config))
  return path
}

/** Writes `<folder>/<size>-<index>` unless it is there; index 0 is the base. */
export function makeModel(folder, size, index) {
  const path = join(folder, `${size}-${index}`)
  mkdirSync(path, { recursive: true })
  if (!existsSync(join(path, 'tokenizer.json'))) writeTokenizer(path, sizes[size])
  if (existsSync(join(path, 'config.json'))) return path
  const shape = sizes[size]
  const tensors = tensorsOf(shape)
  const halves = [tensors.slice(0, Math.ceil(tensors.length / 2)), tensors.slice(Math.ceil(tensors.length / 2))]
  const weightMap = {}
  halves.forEach((part, shard) => {
    const name = `model-0000${shard + 1}-of-00002.safetensors`
    for (const tensor of part) weightMap[tensor.name] = name
    writeShard(join(path, name), part, index)
  })
  writeFileSync(join(path, 'model.safetensors.index.json'), formatIndex(new Map(Object.entries(weightMap)), {}))
  const { hidden, intermediate, layers, vocabulary, kv } = shape
  writeFileSync(
    join(path, 'config.json'),
    JSON.stringify({
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      hidden_size: hidden,
      intermediate_size: intermediate,
      num_hidden_layers: layers,
      max_position_embeddings: 2048,
      rms_norm_eps: 1e-5,
      num_attention_heads: hidden / 64,
      num_key_value_heads: kv / 64,
      vocab_size: vocabulary,
      tie_word_embeddings: false,
      dtype: 'bfloat16',
    }),
  )
  return path
}

/** Tokens of no meaning, one for each row, as a GGUF has to have them. */
function writeTokenizer(path, { vocabulary }) {
  const vocab = Object.fromEntries(Array.from({ length: vocabulary }, (_, id) => [`t${id}`, id]))
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
  const tokenizer = {
    version: '1.0',
    added_tokens: [],
    pre_tokenizer: byteLevel,
    decoder: byteLevel,
    model: { type: 'BPE', vocab, merges: [] },
  }
  writeFileSync(join(path, 'tokenizer.json'), JSON.stringify(tokenizer))
}

function tensorsOf({ hidden, intermediate, layers, vocabulary, kv }) {
  const tensor = (name, ...shape) => ({ name, dtype: 'BF16', shape })
  const layer = (i) => [
    tensor(`model.layers.${i}.input_layernorm.weight`, hidden),
    tensor(`model.layers.${i}.self_attn.q_proj.weight`, hidden, hidden),
    tensor(`model.layers.${i}.self_attn.k_proj.weight`, kv, hidden),
    tensor(`model.layers.${i}.self_attn.v_proj.weight`, kv, hidden),
    tensor(`model.layers.${i}.self_attn.o_proj.weight`, hidden, hidden),
    tensor(`model.layers.${i}.post_attention_layernorm.weight`, hidden),
    tensor(`model.layers.${i}.mlp.gate_proj.weight`, intermediate, hidden),
    tensor(`model.layers.${i}.mlp.up_proj.weight`, intermediate, hidden),
    tensor(`model.layers.${i}.mlp.down_proj.weight`, hidden, intermediate),
  ]
  return [
    tensor('model.embed_tokens.weight', vocabulary, hidden),
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    tensor('model.norm.weight', hidden),
    tensor('lm_head.weight', vocabulary, hidden),
  ]
}

/** Writes a file of bf16 tensors; `index` 0 is the base, others differ from it a little, and another `salt` gives other ones. */
export function writeShard(file, tensors, index, salt = '') {
  const { header, tensors: entries } = layoutFile(tensors, { format: 'pt' })
  const descriptor = openSync(file, 'w')
  writeSync(descriptor, header)
  const block = new Uint16Array(1 << 20)
  for (const { name, byteStart, byteEnd } of entries) {
    for (let position = byteStart, part = 0; position < byteEnd; position += block.byteLength, part++) {
      const elements = block.subarray(0, (byteEnd - position) / 2)
      fillWeights(elements, `${salt}${name}/${part}`, index)
      writeSync(descriptor, new Uint8Array(elements.buffer, 0, elements.byteLength), 0, undefined, position)
    }
  }
  closeSync(descriptor)
}

/** Base weights of a bell shape with σ ≈ 0.02; a fine-tune adds a δ of about a fiftieth of that. Cheap 32-bit generators do. */
function fillWeights(block, key, index) {
  let state = hash(key)
  let own = hash(`${key}#${index}`)
  const float = new Float32Array(1)
  const bits = new Uint32Array(float.buffer)
  for (let i = 0; i < block.length; i++) {
    let sum = 0
    for (let draw = 0; draw < 3; draw++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      sum += state / 2 ** 32 - 0.5
    }
    float[0] = sum * 0.04
    if (index > 0) {
      own = (Math.imul(own, 1664525) + 1013904223) >>> 0
      float[0] += (own / 2 ** 32 - 0.5) * 0.0014
    }
    block[i] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16
  }
}

function hash(text) {
  let value = 2166136261
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 16777619)
  return value >>> 0
}
