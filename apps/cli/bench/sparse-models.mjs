// Checkpoints of models that no disk here would hold: config, index and headers as published, weights that are holes in the files.
// Whatever reads headers only (opening, planning, parts) meets them at their real size; every weight is 0.
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { formatIndex, layoutFile } from '@mk/safetensors'

const tensor = (name, dtype, ...shape) => ({ name, dtype, shape })
const bf16 = (name, ...shape) => tensor(name, 'BF16', ...shape)

/** A float8 matrix, and the scales of its blocks of 128 × 128. */
const blocks = (name, rows, columns) => [
  tensor(name, 'F8_E4M3', rows, columns),
  tensor(`${name}_scale_inv`, 'F32', Math.ceil(rows / 128), Math.ceil(columns / 128)),
]

const llama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  hidden_act: 'silu',
  max_position_embeddings: 131072,
  rms_norm_eps: 1e-5,
  rope_theta: 500000,
  tie_word_embeddings: false,
  vocab_size: 128256,
  torch_dtype: 'bfloat16',
}

/** By name: the number of shards, config.json, and the tensors that go with it. */
const models = {
  // https://huggingface.co/meta-llama/Llama-3.1-405B
  'llama-405b': {
    shardCount: 191,
    config: {
      ...llama,
      hidden_size: 16384,
      intermediate_size: 53248,
      num_attention_heads: 128,
      num_hidden_layers: 126,
      num_key_value_heads: 8,
    },
    tensors: llamaTensors,
  },
  // https://huggingface.co/deepseek-ai/DeepSeek-V3
  'deepseek-v3': {
    shardCount: 163,
    config: {
      architectures: ['DeepseekV3ForCausalLM'],
      model_type: 'deepseek_v3',
      first_k_dense_replace: 3,
      hidden_act: 'silu',
      hidden_size: 7168,
      intermediate_size: 18432,
      kv_lora_rank: 512,
      max_position_embeddings: 163840,
      moe_intermediate_size: 2048,
      moe_layer_freq: 1,
      n_group: 8,
      n_routed_experts: 256,
      n_shared_experts: 1,
      norm_topk_prob: true,
      num_attention_heads: 128,
      num_experts_per_tok: 8,
      num_hidden_layers: 61,
      num_key_value_heads: 128,
      num_nextn_predict_layers: 1,
      q_lora_rank: 1536,
      qk_nope_head_dim: 128,
      qk_rope_head_dim: 64,
      quantization_config: {
        activation_scheme: 'dynamic',
        fmt: 'e4m3',
        quant_method: 'fp8',
        weight_block_size: [128, 128],
      },
      rms_norm_eps: 1e-6,
      rope_theta: 10000,
      routed_scaling_factor: 2.5,
      scoring_func: 'sigmoid',
      tie_word_embeddings: false,
      topk_group: 4,
      topk_method: 'noaux_tc',
      torch_dtype: 'bfloat16',
      v_head_dim: 128,
      vocab_size: 129280,
    },
    tensors: deepseekTensors,
  },
}

export const sparseModelNames = Object.keys(models)

/**
 * Writes `<folder>/<name>-<index>` unless it is there; all of a name are alike but for their place.
 * @param {string} folder @param {string} name one of `sparseModelNames` @param {number} index
 * @returns {string} the path of the model
 */
export function makeSparseModel(folder, name, index) {
  const path = join(folder, `${name}-${index}`)
  if (existsSync(join(path, 'config.json'))) return path
  mkdirSync(path, { recursive: true })
  const { shardCount, config, tensors: tensorsOf } = models[name]
  const tensors = tensorsOf(config)
  const shards = splitIntoShards(tensors, shardCount)
  const shardName = (shard) => `model-${numbered(shard + 1)}-of-${numbered(shardCount)}.safetensors`
  const weightMap = new Map(shards.flatMap((shard, position) => shard.map((each) => [each.name, shardName(position)])))
  for (const [position, shard] of shards.entries()) writeHoles(join(path, shardName(position)), shard)
  const total_size = tensors.reduce((sum, each) => sum + bytesOf(each), 0)
  writeFileSync(join(path, 'model.safetensors.index.json'), formatIndex(weightMap, { total_size }))
  writeFileSync(join(path, 'config.json'), JSON.stringify(config))
  return path
}

const numbered = (number) => String(number).padStart(5, '0')
const elementBytes = { BF16: 2, F8_E4M3: 1, F32: 4 }
const bytesOf = ({ dtype, shape }) => shape.reduce((product, size) => product * size, elementBytes[dtype])

/** In their order, each shard filled up to its share of what all have. */
function splitIntoShards(tensors, count) {
  const total = tensors.reduce((sum, each) => sum + bytesOf(each), 0)
  const shards = Array.from({ length: count }, () => [])
  let before = 0
  for (const each of tensors) {
    shards[Math.min(count - 1, Math.floor((before / total) * count))].push(each)
    before += bytesOf(each)
  }
  return shards.map((shard) => shard.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
}

function writeHoles(file, tensors) {
  const { header, tensors: entries } = layoutFile(tensors, { format: 'pt' })
  const descriptor = openSync(file, 'w')
  writeSync(descriptor, header)
  ftruncateSync(
    descriptor,
    entries.reduce((end, { byteEnd }) => Math.max(end, byteEnd), header.length),
  )
  closeSync(descriptor)
}

function llamaTensors(config) {
  const { hidden_size: hidden, intermediate_size: intermediate, vocab_size: vocabulary } = config
  const kv = (hidden / config.num_attention_heads) * config.num_key_value_heads
  return [
    bf16('model.embed_tokens.weight', vocabulary, hidden),
    ...layersOf(config.num_hidden_layers, (layer) => [
      bf16(`${layer}.input_layernorm.weight`, hidden),
      bf16(`${layer}.self_attn.q_proj.weight`, hidden, hidden),
      bf16(`${layer}.self_attn.k_proj.weight`, kv, hidden),
      bf16(`${layer}.self_attn.v_proj.weight`, kv, hidden),
      bf16(`${layer}.self_attn.o_proj.weight`, hidden, hidden),
      bf16(`${layer}.post_attention_layernorm.weight`, hidden),
      bf16(`${layer}.mlp.gate_proj.weight`, intermediate, hidden),
      bf16(`${layer}.mlp.up_proj.weight`, intermediate, hidden),
      bf16(`${layer}.mlp.down_proj.weight`, hidden, intermediate),
    ]),
    bf16('model.norm.weight', hidden),
    bf16('lm_head.weight', vocabulary, hidden),
  ]
}

const layersOf = (count, tensorsOf) =>
  Array.from({ length: count }, (_, index) => tensorsOf(`model.layers.${index}`, index)).flat()

function deepseekTensors(config) {
  const { hidden_size: hidden, vocab_size: vocabulary, num_hidden_layers: layerCount } = config
  const network = (name, intermediate) => [
    ...blocks(`${name}.gate_proj.weight`, intermediate, hidden),
    ...blocks(`${name}.up_proj.weight`, intermediate, hidden),
    ...blocks(`${name}.down_proj.weight`, hidden, intermediate),
  ]
  const mixture = (mlp) => [
    bf16(`${mlp}.gate.weight`, config.n_routed_experts, hidden),
    tensor(`${mlp}.gate.e_score_correction_bias`, 'F32', config.n_routed_experts),
    ...Array.from({ length: config.n_routed_experts }, (_, expert) =>
      network(`${mlp}.experts.${expert}`, config.moe_intermediate_size),
    ).flat(),
    ...network(`${mlp}.shared_experts`, config.moe_intermediate_size * config.n_shared_experts),
  ]
  return [
    bf16('model.embed_tokens.weight', vocabulary, hidden),
    ...layersOf(layerCount + config.num_nextn_predict_layers, (layer, index) => [
      ...(index < layerCount ? [] : predictionTensors(layer, config)),
      ...latentAttention(`${layer}.self_attn`, config),
      bf16(`${layer}.input_layernorm.weight`, hidden),
      bf16(`${layer}.post_attention_layernorm.weight`, hidden),
      ...(index < config.first_k_dense_replace
        ? network(`${layer}.mlp`, config.intermediate_size)
        : mixture(`${layer}.mlp`)),
    ]),
    bf16('model.norm.weight', hidden),
    bf16('lm_head.weight', vocabulary, hidden),
  ]
}

function latentAttention(attention, config) {
  const { hidden_size: hidden, num_attention_heads: heads, q_lora_rank: queryRank, kv_lora_rank: rank } = config
  const { qk_nope_head_dim: plain, qk_rope_head_dim: rotary, v_head_dim: valueWidth } = config
  return [
    ...blocks(`${attention}.q_a_proj.weight`, queryRank, hidden),
    bf16(`${attention}.q_a_layernorm.weight`, queryRank),
    ...blocks(`${attention}.q_b_proj.weight`, heads * (plain + rotary), queryRank),
    ...blocks(`${attention}.kv_a_proj_with_mqa.weight`, rank + rotary, hidden),
    bf16(`${attention}.kv_a_layernorm.weight`, rank),
    ...blocks(`${attention}.kv_b_proj.weight`, heads * (plain + valueWidth), rank),
    ...blocks(`${attention}.o_proj.weight`, hidden, heads * valueWidth),
  ]
}

/** What a layer that predicts a further token has besides. */
const predictionTensors = (layer, { hidden_size: hidden, vocab_size: vocabulary }) => [
  bf16(`${layer}.embed_tokens.weight`, vocabulary, hidden),
  bf16(`${layer}.enorm.weight`, hidden),
  bf16(`${layer}.hnorm.weight`, hidden),
  bf16(`${layer}.eh_proj.weight`, hidden, 2 * hidden),
  bf16(`${layer}.shared_head.norm.weight`, hidden),
  bf16(`${layer}.shared_head.head.weight`, vocabulary, hidden),
]
