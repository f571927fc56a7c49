import type { adapterSpaces, blockTypeNames, dtypeNames, missingChoices, outFormats } from './schema/shapes.ts'

/** A model as the config names it, before anything is resolved. */
export interface ModelReference {
  /** Local folder, .safetensors/.bin file(s) in raw mode, or hub id. */
  readonly path: string
  readonly revision?: string
  /** Applied in order while reading. */
  readonly adapters: readonly { readonly path: string; readonly revision?: string }[]
  readonly overrideArchitecture?: string
  /** For what is no model of its own but a sum of models, which `path` then writes out: it is computed, not opened. */
  readonly sum?: ModelSum
}

/** A model plus others, each times its weight: `base + weight · model + …`. */
export interface ModelSum {
  readonly base: ModelReference
  readonly plus: readonly { readonly model: ModelReference; readonly weight: number }[]
}

/** A parameter's value as written: a scalar, a gradient over depth, or alternatives by tensor name. */
export type ParameterSetting =
  | { readonly kind: 'scalar'; readonly value: ScalarValue }
  | { readonly kind: 'gradient'; readonly values: readonly number[] }
  /** First match wins; an absent `filter` or '*' matches every tensor. */
  | {
      readonly kind: 'filtered'
      readonly choices: readonly { readonly filter: string | undefined; readonly value: ParameterSetting }[]
    }

/** A value of a parameter, for one tensor. */
export type ScalarValue = number | boolean | string

/** Settings by parameter name, with the config path they were written at (for errors). */
export interface ParameterBlock {
  readonly path: ConfigPath
  readonly settings: ReadonlyMap<string, ParameterSetting>
}

/** The way from the top of a config to a value: keys, and places in lists from 0. */
export type ConfigPath = readonly (string | number)[]

/** A merge method, and which tensors it is for. */
export interface MethodChoice {
  /** A part of the names of output tensors; absent or '*': all. */
  readonly filter: string | undefined
  readonly method: string
  /** Where the name of the method is written. */
  readonly path: ConfigPath
}

/** One model that contributes to a slice. */
export interface SourceConfig {
  readonly model: ModelReference
  /** [start, end) in the model's layers; absent: all. */
  readonly layerRange?: readonly [number, number]
  readonly parameters: ParameterBlock
  /** `input_model_parameters` of early versions: below the slice's parameters, above the module's. */
  readonly modelParameters?: ParameterBlock
  readonly path: ConfigPath
}

/** Layers of the output, and the models that they are merged from. */
export interface SliceConfig {
  readonly sources: readonly SourceConfig[]
  readonly baseModel?: ModelReference
  /** Whether the base is none of the sources even where one of them is the same model; what is read from a recipe has it never. */
  readonly baseApart?: true
  /** As the config's, and before it. */
  readonly mergeMethod?: readonly MethodChoice[]
  readonly parameters: ParameterBlock
  readonly path: ConfigPath
}

/** The slices of one module of the output. `models:` is one slice over all layers (sources without layerRange). */
export interface ModuleConfig {
  /** The name under `modules:`; undefined where the config has `models` or `slices` at the top. */
  readonly name: string | undefined
  readonly slices: readonly SliceConfig[]
  /** As the config's, and before it; absent where the module has no name. */
  readonly mergeMethod?: readonly MethodChoice[]
  readonly parameters: ParameterBlock
  readonly path: ConfigPath
  /** The key that it was written under. */
  readonly from: 'models' | 'slices'
}

/** A dtype by torch's name. */
export type DtypeName = (typeof dtypeNames)[number]

/** What an output's tensors are stored as: a dtype, or in blocks, which only a GGUF has. */
export type OutDtypeName = DtypeName | (typeof blockTypeNames)[number]

/** A whole merge configuration. */
export interface MergeConfig {
  /** What the other recipes of its file call this merge. */
  readonly name?: string
  /** The first that matches a tensor merges it; the last matches all. */
  readonly mergeMethod: readonly MethodChoice[]
  readonly modules: readonly ModuleConfig[]
  readonly baseModel?: ModelReference
  readonly parameters: ParameterBlock
  readonly dtype?: DtypeName
  readonly outDtype?: OutDtypeName
  readonly outFormat?: OutFormat
  /** The most ranks of a module of an adapter that is written. */
  readonly rank?: number
  readonly adapterSpace?: AdapterSpace
  readonly tokenizer?: TokenizerConfig
  readonly chatTemplate?: string
  readonly missing?: MissingTensorsConfig
}

/** What an output is: a folder of safetensors, one GGUF, or a LoRA adapter. */
export type OutFormat = (typeof outFormats)[number]

/** What a method merges of adapters: the products of their factors, these in a basis that they share, or the factors. */
export type AdapterSpace = (typeof adapterSpaces)[number]

/** What becomes of tensors that not all models have: the base's are taken as they are, or they are left out; absent: an error. */
export type MissingTensorsConfig = (typeof missingChoices)[number]

/** The setting `tokenizer_source` or `tokenizer`. */
export type TokenizerConfig =
  /**
   * `tokenizer_source`: the embedding row of a token is the average over the models that have the token, whatever the merge
   * method (with `embed_slerp` it is interpolated by SLERP).
   */
  | { readonly kind: 'average-rows'; readonly source: TokenizerSourceConfig }
  /** `tokenizer`: each model's embedding matrix gets the rows that it lacks; the merge method then merges whole matrices. */
  | {
      readonly kind: 'complete-rows'
      readonly source: TokenizerSourceConfig
      readonly tokens: readonly TokenConfig[]
      readonly padToMultipleOf?: number
    }

/** The vocabulary of the output: the base model's, all models' together, or one model's. */
export type TokenizerSourceConfig =
  | { readonly kind: 'base' }
  | { readonly kind: 'union' }
  | { readonly kind: 'model'; readonly model: ModelReference }

/** An entry of `tokenizer.tokens`. */
export interface TokenConfig {
  readonly token: string
  readonly source?: TokenEmbeddingConfig
  readonly force: boolean
  readonly path: ConfigPath
}

/** The source of a token's row for the models that lack it: a model's own row, another token's row, or zeros. */
export type TokenEmbeddingConfig =
  | { readonly kind: 'model'; readonly model: ModelReference }
  | { readonly kind: 'model_token'; readonly model: ModelReference; readonly token: string }
  | { readonly kind: 'model_token'; readonly model: ModelReference; readonly tokenId: number }
  | { readonly kind: 'zero' }
