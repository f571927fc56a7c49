/**
 * What llama.cpp wants of a family of models, as data: how its tensors are called there and what is done to them, which of
 * config.json's settings it is told, and what it takes for granted.
 */
export interface GgufFamily {
  /** The values of `model_type` in config.json. */
  readonly modelTypes: readonly string[]
  /** The first of config.json's `architectures`: one with another head is another model. */
  readonly architectures: readonly string[]
  /** llama.cpp's name: `general.architecture`, and what its keys begin with. */
  readonly architecture: string
  /** In the order in which they stand in the file. */
  readonly settings: readonly FamilySetting[]
  readonly rope: FamilyRope
  /** Whether the file has `vocab_size`, the rows of the embedding. */
  readonly writesVocabularySize?: boolean
  /** What config.json may say of a key that llama.cpp does not read, since it computes the model in one way only. */
  readonly fixed?: Readonly<Record<string, FixedSetting>>
  /**
   * Which layers attend to a window of positions: all but every nth. llama.cpp counts so itself, whatever `layer_types` has.
   */
  readonly fullAttentionEvery?: number
  /**
   * For families that scale the scores of attention by `query_pre_attn_scalar`: llama.cpp takes the size of a head for it, and
   * hidden size / heads in models of this many layers.
   */
  readonly wideScaleLayers?: number
  /**
   * A pattern of names of the model's tensors → what becomes of them. `{layer}` and, after it, `{expert}` are parts that are
   * numbers; the tensors of all experts become one, stacked by number.
   */
  readonly tensors: Readonly<Record<string, TensorRule>>
  /** Names of tensors that have no place in the file, or their beginnings up to a dot → why. */
  readonly leftOut?: Readonly<Record<string, string>>
  /** Whether llama.cpp wants a head of its own where the embedding is the head: it is written twice. */
  readonly needsHead?: boolean
  /** A part of names that means nothing: `language_model.` of a text model within a larger one. */
  readonly nameWithout?: readonly string[]
  /** Whether added tokens that are not special, but look it (`<|…|>`), are taken for special ones; true unless it says otherwise. */
  readonly specialByLook?: boolean
}

/** A number of a family's metadata, and where in config.json it comes from. */
export interface FamilySetting {
  /** The key in the file, without the architecture. */
  readonly key: string
  readonly type: 'uint32' | 'float32'
  readonly value: SettingValue
  /** Left out where config.json says nothing. */
  readonly optional?: boolean
}

/** Where a number comes from. */
export type SettingValue =
  /** The first of config.json's keys that is there, else what `otherwise` says. */
  | { readonly config: readonly string[]; readonly otherwise?: SettingValue }
  | { readonly product: readonly [SettingValue, SettingValue] }
  /** Rounded down. */
  | { readonly quotient: readonly [SettingValue, SettingValue] }
  | number

/** The number of dimensions that RoPE turns, and how `rope_scaling` reaches llama.cpp. */
export interface FamilyRope {
  /** `rope_theta` where config.json is silent. */
  readonly theta: number
  /** `rope_theta` of the layers that attend to a window, where it is one of its own. */
  readonly windowTheta?: number
  /** Scalings of positions that llama.cpp has for the family. */
  readonly scalings: readonly RopeScaling[]
  /** Whether `rope.freq_base` is written; llama.cpp takes 10000 where it isn't. */
  readonly writesTheta: boolean
}

/** How a model stretches its rotary positions, as `rope_scaling` of config.json names it. */
export type RopeScaling = 'linear' | 'yarn' | 'llama3' | 'longrope'

/** The values that a setting may have; the first is what an absent one means. */
export interface FixedSetting {
  readonly values: readonly (string | number | boolean | null | readonly never[])[]
  /** False: other values are told, not refused, since the model still computes the same on short texts. */
  readonly refused?: false
}

/** What a tensor of transformers is called in a GGUF, and what becomes of its elements. */
export type TensorRule =
  /** The name in the file, with the same place-holders. */
  | string
  | {
      readonly name: string
      /** Of q and k where llama.cpp's RoPE turns pairs of neighbors: the config's count of heads. */
      readonly interleave?: 'num_attention_heads' | 'num_key_value_heads'
      /** Added to all elements, in float32. */
      readonly add?: number
      /** A type that the tensor has whatever is asked for. */
      readonly type?: 'F32'
      /** Whether a model may lack it. */
      readonly optional?: boolean
    }
  /** Rows of one tensor (of each matrix of a stack of them) in halves, the first of which goes to the first name. */
  | { readonly halves: readonly [string, string] }

/** Where a pattern has the number of an expert. */
export const expertMark = '{expert}'
