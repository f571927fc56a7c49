import type { AdapterSpace, DtypeName, MissingTensorsConfig, OutDtypeName, OutFormat } from './merge-config.ts'

/** What the type of a recipe takes from a merge method: of its parameters, by name, the type of one value. */
export interface RecipeMethod {
  readonly name: string
  readonly base: 'required' | 'optional' | 'none'
  /** Those that each model may have a value of its own for. */
  readonly perModel: object
  readonly methodWide: object
}

/** A recipe as an object: what its YAML says, by any of the methods, or by several, each for a part of the tensors. */
export type RecipeOf<M extends RecipeMethod> = RecipeOfOne<M> | RecipeOfSeveral<M>

type RecipeOfOne<M extends RecipeMethod> = M extends RecipeMethod
  ? RecipeSettings<M['name']> &
      (
        | (OwnVocabulary & RecipeInputs<M, M['perModel'] & M['methodWide']>)
        | (AveragedVocabulary & RecipeInputs<M, M['perModel'] & M['methodWide'] & RowParameters>)
      )
  : never

/** The last of the methods at the top has no filter; slices and modules may have methods of their own. */
type RecipeOfSeveral<M extends RecipeMethod> = RecipeSettings<MethodsByFilter<M['name']>> &
  (
    | (OwnVocabulary & InputsOfSeveral<M, ParametersOfAny<M>>)
    | (AveragedVocabulary & InputsOfSeveral<M, ParametersOfAny<M> & RowParameters>)
  )

type MethodsByFilter<Name extends string> = MethodFor<Name> | readonly MethodFor<Name>[]

/** A method for the tensors whose name contains `filter`; of a list the first that matches holds. */
interface MethodFor<Name extends string> {
  /** A part of a tensor's name; absent or '*': every tensor. */
  readonly filter?: string
  readonly value: Name
}

/** Of all that any of the methods takes, by name. */
type ParametersOfAny<M extends RecipeMethod> = {
  readonly [K in KeyOfAny<M['perModel'] | M['methodWide']>]?: ValueInAny<M['perModel'] | M['methodWide'], K>
}
type KeyOfAny<T> = T extends unknown ? keyof T : never
type ValueInAny<T, K> = T extends unknown ? (K extends keyof T ? T[K] : never) : never

/** What a recipe says besides its models, their parameters and the vocabulary. */
interface RecipeSettings<Method> {
  /** How the models are merged. */
  readonly merge_method: Method
  /** What is written; absent: the dtype of each tensor. Arithmetic is float32 in any case. */
  readonly dtype?: DtypeName | `torch.${DtypeName}`
  /** What is written, where `dtype` says what mergekit computes in. */
  readonly out_dtype?: OutDtypeName | `torch.${DtypeName}`
  /** A folder of safetensors as transformers reads it, one GGUF for llama.cpp, or a LoRA adapter for the base model. Absent: as the models are. */
  readonly out_format?: OutFormat
  /** Of an adapter that is written: the most ranks of a module. Absent: as many as its adapters have. */
  readonly rank?: number
  /** Of an adapter that is written: whether products of factors are merged, products in a basis that all share (KnOTS), or the factors. */
  readonly adapter_space?: AdapterSpace
  /** 'auto', a known name (alpaca, chatml, exaone, llama3, mistral), or a Jinja template. */
  readonly chat_template?: string
  /** What becomes of tensors that not all models have: the base's, or none. Absent: an error. */
  readonly missing?: MissingTensorsConfig
  /** Of one recipe of several in a file; a recipe that is an object is the only one. */
  readonly name?: never
}

/** The donor's vocabulary, or one for which every model gets the rows that it lacks. */
interface OwnVocabulary {
  /** The vocabulary of the output; every model gets the rows it lacks, then the method merges. */
  readonly tokenizer?: RecipeTokenizer
  readonly tokenizer_source?: never
}

/** A vocabulary for which rows of embeddings are averaged. */
interface AveragedVocabulary {
  /** The vocabulary of the output; rows of embeddings are averaged over the models that have the token. */
  readonly tokenizer_source: RecipeTokenizerSource
  readonly tokenizer?: never
}

/** What averaging rows of embeddings goes by, whatever the method. */
export interface RowParameters {
  /** What a model's rows count, relative to the others; 1 unless given. */
  readonly weight?: number
  /** Interpolate rows on the sphere, by `t`, in a merge of two models. */
  readonly embed_slerp?: boolean | number
  /** Position on the way from one model's row (0) to the other's (1); 0.5 unless given. */
  readonly t?: number
}

/** Models, slices of them, or both for each part of a model; with parameters `P`. */
type RecipeInputs<M extends RecipeMethod, P> = GeneralParameters<P> &
  ((BaseOf<M> & RecipeModels<P>) | (OptionalBase & (RecipeSlices<P, never> | RecipeModules<P, never>)))

type InputsOfSeveral<M extends RecipeMethod, P> = GeneralParameters<P> &
  OptionalBase &
  (RecipeModels<P> | RecipeSlices<P, PartMethod<M>> | RecipeModules<P, PartMethod<M>>)

type PartMethod<M extends RecipeMethod> = M['name'] | MethodsByFilter<M['name']>

interface GeneralParameters<P> {
  /** Settings of the merge method, where models, slices and modules have none of their own. */
  readonly parameters?: RecipeParameters<P>
  /** The way of early versions to give parameters: by model. */
  readonly input_model_parameters?: Readonly<Record<string, RecipeParameters<P>>>
}

type BaseOf<M extends RecipeMethod> = M['base'] extends 'required' ? Required<OptionalBase> : OptionalBase

interface OptionalBase {
  /** What the others are compared with; donates config.json, tokenizer and small files. */
  readonly base_model?: RecipeModel
}

interface RecipeModels<P> {
  /** Whole models, each with the parameters that it has of its own. */
  readonly models: readonly RecipeSource<P>[]
  readonly slices?: never
  readonly modules?: never
}

interface RecipeSlices<P, Method> {
  /** Ranges of layers, put on top of one another. */
  readonly slices: readonly RecipeSlice<P, Method>[]
  readonly models?: never
  readonly modules?: never
}

interface RecipeModules<P, Method> {
  /** Models or slices for each part of a model that has several. */
  readonly modules: Readonly<Record<string, RecipeModule<P, Method>>>
  readonly models?: never
  readonly slices?: never
}

/** A model that goes in. */
interface RecipeSource<P> {
  /** A folder, a file of weights or a hub id. */
  readonly model: RecipeModel
  /** Settings of the merge method for this model. */
  readonly parameters?: RecipeParameters<P>
}

/** A range of layers of a model. */
interface RecipeRange<P> extends RecipeSource<P> {
  /** [start, end); the end is not included. Absent: all layers. */
  readonly layer_range?: readonly [number, number]
}

/** Equally many layers of each model, merged with one another. */
interface RecipeSlice<P, Method> {
  readonly sources: readonly RecipeRange<P>[]
  /** The base of this slice, where it is another one. */
  readonly base_model?: RecipeModel
  /** How these layers are merged, where it is otherwise than the rest. */
  readonly merge_method?: Method
  /** Settings of the merge method for these layers. */
  readonly parameters?: RecipeParameters<P>
}

/** What one part of the output is made of. */
type RecipeModule<P, Method> = {
  /** How this part is merged, where it is otherwise than the rest. */
  readonly merge_method?: Method
  /** Settings of the merge method for this part. */
  readonly parameters?: RecipeParameters<P>
} & (Omit<RecipeModels<P>, 'modules'> | Omit<RecipeSlices<P, Method>, 'modules'>)

/** `path`, `path@revision`, `path+adapter`, or in parts, for a path that has '+' or '@' in it; or a sum of models. */
export type RecipeModel =
  | string
  | {
      readonly model: RecipeRepository
      /** LoRA adapters, applied in order. */
      readonly lora?: RecipeRepository | readonly RecipeRepository[]
      /** Treat the model as one of this architecture. */
      readonly override_architecture?: string
    }
  | RecipeSum

/** A model plus others, each times its weight. */
interface RecipeSum {
  /** Donates config.json, tokenizer and small files. */
  readonly base: RecipeModel
  readonly plus: readonly {
    readonly model: RecipeModel
    /** Absent: 1. */
    readonly weight?: number
  }[]
}

/** A folder or hub id, with a branch, tag or commit. */
type RecipeRepository = string | { readonly path: string; readonly revision?: string }

/** Parameters by name. */
export type RecipeParameters<P> = { readonly [K in keyof P]?: RecipeSetting<Exclude<P[K], undefined>> }

/** A value for all tensors, a gradient over the layers from the first to the last, or either by the name of the tensor. */
export type RecipeSetting<T> = T | Gradient<T> | RecipeChoice<T> | readonly RecipeChoice<T>[]

/** A value for the tensors whose name contains `filter`; of a list the first that matches holds. */
export interface RecipeChoice<T> {
  /** A part of a tensor's name; absent or '*': every tensor. */
  readonly filter?: string
  readonly value: T | Gradient<T>
}

type Gradient<T> = number extends T ? readonly number[] : never

/** The base model's vocabulary, all models' together, or that of one model. */
type RecipeTokenizerSource = 'base' | 'union' | RecipeModel

/** The vocabulary of the output, and the rows of tokens that need a decision. */
interface RecipeTokenizer {
  /** Absent: union. */
  readonly source?: RecipeTokenizerSource
  /** Tokens that need a decision. */
  readonly tokens?: Readonly<Record<string, RecipeToken | null>>
  /** Add rows until their number is a multiple. */
  readonly pad_to_multiple_of?: number
}

/** A decision on a token. */
interface RecipeToken {
  /** What fills the row of models that lack the token: a model's own row, another token's row, or zeros. */
  readonly source?:
    | RecipeModel
    | { readonly kind: 'zero' }
    | { readonly kind: 'model_token'; readonly model: RecipeModel; readonly token: string }
    | { readonly kind: 'model_token'; readonly model: RecipeModel; readonly token_id: number }
  /** Also for models that have the token. */
  readonly force?: boolean
}
