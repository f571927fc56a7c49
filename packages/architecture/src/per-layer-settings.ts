import type { ModelConfig } from './layout.ts'

/** Lists with an entry per layer. */
const listKeys = new Set([
  'layer_types',
  'layers_block_type',
  'mlp_layer_types',
  'attention_layers',
  'no_rope_layers',
  'block_configs',
  'moe_layer_freq',
  'activation_sparsity_pattern',
  'intermediate_size',
  'num_key_value_heads',
  'num_attention_heads',
  'num_kv_heads',
  'num_query_heads',
  'ffn_multipliers',
  'ffn_dim',
  'window_sizes',
  'layer_group',
  'rope_theta_per_layer',
  'moe_num_experts',
  'local_attention_pattern',
  'attention_pattern',
])
/** Lists of the layers that something holds for. */
const indexKeys = new Set([
  'mlp_only_layers',
  'moe_layers',
  'full_attn_idxs',
  'full_attention_idxs',
  'attn_layer_indices',
  'hybrid_layer_ids',
  'cross_attention_layers',
  'fullatt_block_indexes',
  'deepstack_visual_indexes',
  'intermediate_layers_indices',
  'attn_layer_idx',
  'global_attn_indexes',
  'moe_layer_indices',
  'full_attention_layers',
  'attention_layer_indices',
])
/** One letter per layer (Nemotron-H). */
const letterKeys = new Set(['hybrid_override_pattern', 'hybrid_block_pattern'])
/** What a layer is follows from its index; no new value can describe every new order. */
const periodKeys = new Set([
  'attn_layer_period',
  'attn_layer_offset',
  'expert_layer_period',
  'expert_layer_offset',
  'full_attention_interval',
  'interleave_moe_layer_step',
  'decoder_sparse_step',
  'sliding_window_pattern',
  '_sliding_window_pattern',
  'no_rope_layer_interval',
  'first_k_dense_replace',
  'global_attn_every_n_layers',
  'num_kv_shared_layers',
  'max_window_layers',
  'moe_layer_interval',
  'moe_layer_start_index',
  'encoder_sparse_step',
  'n_hash_layers',
])

/** `settings` with each per-layer list put in the order of `sourceLayers` (output layer i was layer sourceLayers[i]). */
export function resliceSettings(
  settings: ModelConfig,
  layerCount: number,
  sourceLayers: readonly number[],
): ModelConfig {
  return Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [key, resliced(key, value, layerCount, sourceLayers)]),
  )
}

function resliced(key: string, value: unknown, layerCount: number, sourceLayers: readonly number[]): unknown {
  if (letterKeys.has(key) && typeof value === 'string' && value.length === layerCount)
    return sourceLayers.map((layer) => value[layer]).join('')
  if (!Array.isArray(value)) return value
  if (indexKeys.has(key) && value.every((entry) => Number.isInteger(entry))) {
    return sourceLayers.flatMap((layer, index) => (value.includes(layer) ? [index] : []))
  }
  const isPerLayer = listKeys.has(key) || /layer_?(type|kind|pattern)s?|_(per|by)_layer$/.test(key)
  return isPerLayer && value.length === layerCount ? sourceLayers.map((layer) => value[layer]) : value
}

/** Settings by which a layer's index decides what it is: worth a warning where layers change their places. */
export function listPeriodicSettings(settings: ModelConfig): readonly string[] {
  return Object.entries(settings).flatMap(([key, value]) =>
    periodKeys.has(key) && typeof value === 'number' && value > 0 ? [key] : [],
  )
}
