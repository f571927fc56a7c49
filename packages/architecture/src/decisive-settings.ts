import type { LayoutModule, ModelConfig } from './layout.ts'
import { familyOf } from './families.ts'
import { isPart } from './settings.ts'
import { settingsOf, type SourceModel } from './source-layers.ts'

/** A setting by which the same tensors compute something else, and its value in two models. */
export interface SettingDifference {
  /** As the first model spells it, else the other. */
  readonly key: string
  /** Undefined where config.json leaves it out and no default is known. */
  readonly value: unknown
  readonly other: unknown
}

interface DecisiveSetting {
  /** Spellings, the first that a config has counts. */
  readonly keys: readonly string[]
  /** What it is where config.json leaves it out; without one, silence is no difference. */
  readonly otherwise?: unknown
  /** A list with an entry per layer: it follows the layers where they are moved. */
  readonly isByLayer?: true
}

const spelled = (text: string, more: Omit<DecisiveSetting, 'keys'> = {}): DecisiveSetting => ({
  keys: text.split(' '),
  ...more,
})

/** Settings that shapes don't show. Widths are not among them: where they differ, shapes do. */
const decisive: readonly DecisiveSetting[] = [
  // Positions
  spelled('rope_theta rotary_emb_base rope_base', { otherwise: 10_000 }),
  spelled('rope_scaling', { otherwise: null }),
  spelled('rope_local_base_freq'),
  spelled('global_rope_theta'),
  spelled('local_rope_theta'),
  spelled('partial_rotary_factor rotary_pct rope_pct'),
  spelled('rotary_dim'),
  spelled('qk_rope_head_dim'),
  spelled('rope_interleave rope_interleaved'),
  spelled('original_max_position_embeddings'),
  spelled('position_embedding_type'),
  spelled('alibi use_alibi'),
  spelled('rotary use_rotary rotary_embedding'),
  spelled('relative_attention_num_buckets'),
  spelled('relative_attention_max_distance'),
  spelled('no_rope_layers', { isByLayer: true }),
  // Attention
  spelled('num_attention_heads n_head n_heads num_heads attention_heads'),
  spelled('encoder_attention_heads'),
  spelled('decoder_attention_heads'),
  spelled('num_key_value_heads num_kv_heads n_head_kv multi_query_group_num'),
  spelled('head_dim attention_head_dim kv_channels d_kv'),
  spelled('multi_query'),
  spelled('new_decoder_architecture'),
  spelled('sliding_window sliding_windows attention_window_size', { otherwise: null }),
  spelled('use_sliding_window', { otherwise: false }),
  spelled('sliding_window_pattern _sliding_window_pattern global_attn_every_n_layers'),
  spelled('local_attention'),
  spelled('window_size'),
  spelled('layer_types layers_block_type attention_layers', { isByLayer: true }),
  spelled('attention_chunk_size'),
  spelled('attn_temperature_tuning'),
  spelled('query_pre_attn_scalar'),
  spelled('attention_multiplier'),
  spelled('attn_logit_softcapping attn_logit_softcap', { otherwise: null }),
  spelled('scale_attn_weights'),
  spelled('scale_attn_by_inverse_layer_idx'),
  spelled('use_qk_norm qk_norm qk_layernorm', { otherwise: false }),
  spelled('clip_qkv qkv_clip', { otherwise: null }),
  spelled('is_causal use_bidirectional_attention use_bidirectional'),
  // Norms, activations, scales of the residual stream
  spelled('rms_norm_eps layer_norm_eps layer_norm_epsilon layernorm_epsilon norm_eps norm_epsilon'),
  spelled('hidden_activation hidden_act activation_function feed_forward_proj activation hidden_activation_type'),
  spelled('do_layer_norm_before'),
  spelled('apply_residual_connection_post_layernorm'),
  spelled('use_parallel_residual parallel_attn parallel_residual'),
  spelled('post_norm use_post_norm norm_after norm_placement'),
  spelled('norm_type normalization layer_norm_type'),
  spelled('norm_zero_centered'),
  spelled('embedding_multiplier scale_emb'),
  spelled('residual_multiplier'),
  spelled('scale_depth'),
  spelled('logits_scaling'),
  spelled('logit_scale'),
  spelled('dim_model_base'),
  spelled('scale_embedding'),
  spelled('final_logit_softcapping', { otherwise: null }),
  // Experts
  spelled('num_experts_per_tok num_experts_per_token moe_top_k moe_k top_k'),
  spelled('norm_topk_prob'),
  spelled('routed_scaling_factor'),
  spelled('scoring_func'),
  spelled('topk_method'),
  spelled('n_group num_expert_group'),
  spelled('topk_group'),
  spelled('moe_layer_freq', { isByLayer: true }),
  spelled('swiglu_limit'),
  // What the numbers of the weights are
  spelled('quantization_config compression_config', { otherwise: null }),
]

/** Bases of rotary positions where config.json leaves them out, of families whose class has another than most. */
const defaultRopeTheta: Readonly<Record<string, number>> = {
  gemma3_text: 1e6,
  gpt_oss: 15e4,
  lfm2: 1e6,
  llama4_text: 5e5,
  mixtral: 1e6,
  smollm3: 2e6,
}

/**
 * Lists the settings by which tensors of equal shapes compute something else in two models, as config.json has them for a module
 * of each: rotary bases, numbers of heads, activations, epsilons, the placement of norms, …
 * Where layers change their places (`areLayersMoved`), lists by layer are made anew, and not compared.
 */
export function compareDecisiveSettings(
  model: SourceModel,
  other: SourceModel,
  { areLayersMoved = false }: { readonly areLayersMoved?: boolean } = {},
): readonly SettingDifference[] {
  if (model.config === undefined || other.config === undefined) return []
  const [own, others] = [model, other].map((entry) => usualSpelling(settingsOfModule(entry)))
  const families = [model, other].map((entry) => familyOf(settingsOfModule(entry)) ?? familyOf(entry.config) ?? '')
  return decisive.flatMap(({ keys, otherwise, isByLayer }): SettingDifference[] => {
    if (isByLayer === true && areLayersMoved) return []
    const [key, otherKey] = [own, others].map((settings) => keys.find((key) => settings![key] !== undefined))
    if (key === undefined && otherKey === undefined) return []
    const defaults = families.map((family) =>
      keys[0] === 'rope_theta' ? (defaultRopeTheta[family] ?? otherwise) : otherwise,
    )
    const [value, otherValue] = [
      key === undefined ? defaults[0] : own![key],
      otherKey === undefined ? defaults[1] : others![otherKey],
    ]
    if (value === undefined || otherValue === undefined) return []
    if (JSON.stringify(value) === JSON.stringify(otherValue)) return []
    if (Array.isArray(value) && Array.isArray(otherValue) && value.length !== otherValue.length) return []
    return [{ key: key ?? otherKey!, value, other: otherValue }]
  })
}

/** The settings that config.json has for a module, of the whole where it has no place of its own. */
function settingsOfModule(model: SourceModel): ModelConfig {
  const { settings } = settingsOf(model, [])
  return Object.keys(settings).length > 0 || !isLone(model.module) ? settings : (model.config ?? {})
}

const isLone = ({ kind }: LayoutModule): boolean => kind === undefined || kind === 'language'

/** Rotary settings as they were written before transformers 5 put them into one object. */
function usualSpelling(settings: ModelConfig): ModelConfig {
  const { rope_parameters: parameters, rope_scaling: scaling, ...rest } = settings
  const { rope_theta: theta, ...more } = isPart(parameters) ? parameters : {}
  return {
    ...rest,
    ...(theta !== undefined && { rope_theta: theta }),
    ...((parameters !== undefined || scaling !== undefined) && { rope_scaling: ropeScaling(scaling ?? more) }),
  }
}

/** Null where positions aren't scaled at all. */
function ropeScaling(scaling: unknown): unknown {
  if (!isPart(scaling)) return null
  const { type, rope_type: kind = type, ...more } = scaling
  const said = Object.entries(more).filter(([key, value]) => value !== null && key !== 'rope_theta')
  const isScaled = kind !== undefined && kind !== 'default' && kind !== 'mrope'
  const sorted = Object.fromEntries(said.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  if (isScaled) return { rope_type: kind, ...sorted }
  return said.length === 0 ? null : sorted
}
