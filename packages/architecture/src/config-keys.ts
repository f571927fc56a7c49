/** What a key of config.json holds. */
export type KeyMeaning =
  /** The number of layers of the stack that the object describes. */
  | 'layer-count'
  /** That of a further stack of the same object, which no list there is about. */
  | 'lone-layer-count'
  /** A list with an entry per layer, or a string with a letter per layer. A number stands for all layers. */
  | 'per-layer'
  /** A list that is gone through again and again. */
  | 'layer-cycle'
  /** A list with an entry per layer, which is the number of another layer or its own. */
  | 'per-layer-numbers'
  /** Patterns and how often each is repeated, an entry per layer in all: `[[["global", "local"], 12]]`. */
  | 'layer-runs'
  /** The layers that something holds for, counted from 0 or from 1. */
  | 'layer-numbers'
  | 'layer-numbers-from-1'
  /** Layers whose outputs go to tensors outside the layers, one for each entry: the list keeps its length. */
  | 'paired-layer-numbers'
  /** Hidden states: 0 is what enters the first layer, n what leaves the n-th, -1 what leaves the last. A number or a list. */
  | 'hidden-states'
  /** The same as names, `stage2`; and all of them, from `stem` on. */
  | 'stage-names'
  | 'all-stage-names'
  /** An object with layer numbers as keys. */
  | 'by-layer-number'
  /** The number of the last layer that something holds for, -1 where it is the last of all. */
  | 'last-layer'
  /** A number from which, with a layer's own number, follows what the layer is (see layer-rules.ts). */
  | 'layer-rule'
  /** Layers after the last one that predict further tokens. */
  | 'further-layer-count'
  /** Rows of the token embedding. */
  | 'vocabulary'
  /** Rows of the embedding that each layer has a part of. */
  | 'per-layer-vocabulary'
  | 'expert-count'
  | 'width'
  /** A number or list that may look like a layer count and is none. */
  | 'other'

const words = (text: string) => text.trim().split(/\s+/)

const keysByMeaning: Readonly<Record<KeyMeaning, readonly string[]>> = {
  'layer-count': words(`
    num_hidden_layers n_layer n_layers num_layers layers num_transformer_layers num_blocks n_blocks depth encoder_layers
    decoder_layers num_encoder_layers num_decoder_layers encoder_num_hidden_layers decoder_num_hidden_layers
    conf_num_hidden_layers`),
  'lone-layer-count': words('num_global_layers'),
  'per-layer': words(`
    layer_types layers_block_type mlp_layer_types attention_layers no_rope_layers block_configs moe_layer_freq
    activation_sparsity_pattern intermediate_size num_key_value_heads num_attention_heads num_kv_heads num_query_heads
    ffn_multipliers ffn_dim window_sizes layer_group rope_theta_per_layer moe_num_experts local_attention_pattern
    attention_pattern hybrid_override_pattern hybrid_block_pattern indexer_types layer_rope_theta num_attention_heads_per_layer
    num_key_value_heads_per_layer kv_sharing_modes sliding_windows sliding_window attention_window attn_layers attn_type_list
    hybrid_layer_pattern layers_num_experts rope_types num_experts_per_layer`),
  'layer-cycle': words('block_types'),
  'per-layer-numbers': words('kv_source_layers'),
  'layer-runs': words('attention_types'),
  'layer-numbers': words(`
    mlp_only_layers moe_layers full_attn_idxs full_attention_idxs attn_layer_indices hybrid_layer_ids cross_attention_layers
    fullatt_block_indexes attn_layer_idx global_attn_indexes moe_layer_indices full_attention_layers attention_layer_indices
    window_block_indexes window_block_indices residual_block_indices global_attention_blocks rope_scaling_layers
    subsample_layers ple_layer_ids slstm_at look_ahead_layers look_backward_layers`),
  'layer-numbers-from-1': words('full_attn_layers kda_layers'),
  'paired-layer-numbers': words('deepstack_visual_indexes'),
  'hidden-states': words(`
    vision_feature_layer vision_feature_layers mm_vision_select_layer audio_feature_layer intermediate_layers_indices
    out_indices backbone_out_indices extract_layers intermediate_hidden_state_indices`),
  'stage-names': words('out_features'),
  'all-stage-names': words('stage_names'),
  'by-layer-number': words('per_layer_config'),
  'last-layer': words('moe_layer_end_index'),
  'layer-rule': words(`
    sliding_window_pattern _sliding_window_pattern max_window_layers global_attn_every_n_layers full_attention_interval
    no_rope_layer_interval interleave_moe_layer_step decoder_sparse_step encoder_sparse_step first_k_dense_replace
    num_dense_layers num_kv_shared_layers attn_layer_period attn_layer_offset expert_layer_period expert_layer_offset
    num_sparse_encoder_layers num_sparse_decoder_layers moe_layer_interval moe_layer_start_index n_hash_layers num_hash_layers cross_attention_frequency
    scale_attn_by_inverse_layer_idx layer_group_size cross_layer_interval`),
  'further-layer-count': words(
    'num_nextn_predict_layers num_mtp_layers mtp_num_layers mtp_num_hidden_layers num_mtp_modules',
  ),
  vocabulary: words('padded_vocab_size vocab_size n_vocab decoder_vocab_size n_words src_vocab_size tgt_vocab_size'),
  'per-layer-vocabulary': words('vocab_size_per_layer_input'),
  'expert-count': words('num_local_experts num_experts n_routed_experts'),
  width: words(`
    hidden_size attention_hidden_size attention_head_dim kv_channels mamba_headdim d_model n_embd dim embed_dim hidden_dim embedding_size n_inner d_ff d_inner d_kv d_head n_head n_heads num_heads
    attention_heads encoder_attention_heads decoder_attention_heads encoder_ffn_dim decoder_ffn_dim moe_intermediate_size
    kv_lora_rank q_lora_rank rotary_dim num_groups n_groups n_group topk_group intermediate_size_mlp hidden_size_per_layer_input`),
  other: words(`
    num_channels in_channels patch_size temporal_patch_size tubelet_size image_size spatial_merge_size scale_factor kernel_size
    conv_kernel conv_kernel_size conv_L_cache conv_dim conv_stride conv_bias mamba_d_conv mamba_expand expand
    expansion_ratio block_multiple_of mlp_ratio num_experts_per_tok moe_top_k top_k num_experts_per_token n_shared_experts num_shared_experts
    num_labels num_conv_layers num_feat_extract_layers num_adapter_layers adapter_stride adapter_kernel_size num_codebooks
    codevector_groups num_codevector_groups num_beams num_beam_groups num_return_sequences num_query_tokens num_stages
    num_encoder_blocks num_random_blocks speech_decoder_prenet_layers pooler_num_attention_heads max_num_tiles tdnn_dim tdnn_kernel
    tdnn_dilation mrope_section xdrope_section image_mean image_std norm_mean norm_std longrope_scaling short_factor long_factor
    supported_aspect_ratios image_grid_pinpoints architectures depths hidden_sizes stage_repeats rescale_every
    altup_num_inputs num_hidden_groups inner_group_num type_vocab_size mask_time_min_masks begin_suppress_tokens
    suppress_tokens pretraining_tp num_block_repeats block_repeats dilations num_res_blocks num_targets quantization_bits start_n_top end_n_top decoder_sparse_layers label_names`),
}

/** Keys that mean something else in some model types than elsewhere. */
const familyKeys: Readonly<Record<string, Readonly<Record<string, KeyMeaning>>>> = {
  // Hierarchical encoders: entries for stages, not for layers.
  swin: { num_heads: 'other', num_layers: 'other', out_indices: 'other', out_features: 'other', stage_names: 'other' },
  swinv2: {
    num_heads: 'other',
    num_layers: 'other',
    out_indices: 'other',
    out_features: 'other',
    stage_names: 'other',
  },
  // The depth of the projector.
  janus_vision_model: { depth: 'other' },
  // The depth of the whole, as it is applied; the one stored layer has no number.
  albert: { num_hidden_layers: 'other' },
}

const meanings: ReadonlyMap<string, KeyMeaning> = new Map(
  Object.entries(keysByMeaning).flatMap(([meaning, keys]) => keys.map((key) => [key, meaning as KeyMeaning] as const)),
)

/** Lists of families that nobody has entered yet, by the usual words. */
const perLayerName = /layer_?(?:type|kind|pattern)s?$|_(?:per|by)_layer$/
/** Numbers and lists that never have to do with layers. */
const otherName =
  /_(?:token|tokens|id|ids|size|sizes|dim|dims|length|len|eps|epsilon|factor|factors|ratio|scale|bias|prob|range|rank|theta|std|mean|coef|groups?)$|^(?:max|min)_|heads|dropout|token_id|vocab|experts|pdrop|kernel|channel|resolution|version|label/

/** What `key` holds in a configuration of `family` (its `model_type`); undefined where nobody knows. */
export function meaningOf(key: string, family: string | undefined): KeyMeaning | undefined {
  const own = family === undefined || !Object.hasOwn(familyKeys, family) ? undefined : familyKeys[family]![key]
  const known = own ?? meanings.get(key)
  if (known !== undefined) return known
  if (perLayerName.test(key)) return 'per-layer'
  return otherName.test(key) ? 'other' : undefined
}

/** Tells whether a table has the key, so that its meaning is known and not guessed from its name. */
export const isInTable = (key: string, family: string | undefined): boolean =>
  meanings.has(key) || (family !== undefined && Object.hasOwn(familyKeys[family] ?? {}, key))

/** All keys that hold something, in the order of the table. */
export function keysThatHold(meaning: KeyMeaning): readonly string[] {
  return keysByMeaning[meaning]
}

/** Keys of an encoder and decoder that share an object of config.json, and the one that they are about. */
const sideOfKey: Readonly<Record<string, 'encoder' | 'decoder'>> = { attention_window: 'encoder' }

/** Tells whether `key` is about a stack of the kind; all are about what is neither an encoder nor a decoder. */
export function isAbout(key: string, kind: string | undefined): boolean {
  const isSide = kind === 'encoder' || kind === 'decoder'
  return !isSide || !Object.hasOwn(sideOfKey, key) || sideOfKey[key] === kind
}

/** Objects inside the object that describes a stack that hold more of its settings. */
export const nestedSettings: readonly string[] = ['linear_attn_config', 'attn_config', 'ffn_config']
