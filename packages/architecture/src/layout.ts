import type { Dtype } from '@mk/safetensors'

/** A parsed config.json. */
export type ModelConfig = Readonly<Record<string, unknown>>

/** Keys from the root of config.json to a value: `['text_config', 'num_hidden_layers']`. */
export type KeyPath = readonly string[]

/** What is known of a tensor without reading it. */
export interface TensorFacts {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype?: Dtype
}

/** Every tensor of a checkpoint, each in exactly one module. */
export interface CheckpointLayout {
  /** `model_type` of config.json. */
  readonly family: string | undefined
  /**
   * Normally one. Several where layers are numbered under several prefixes: the language model (or encoder) comes first,
   * tensors that share no module's prefix are in a last one without layers.
   */
  readonly modules: readonly LayoutModule[]
  /** What a person may want to know, such as a layer count that contradicts the tensors. */
  readonly notes: readonly string[]
}

/** What a module works on; undefined for the only module of a checkpoint and for what fits none. */
export type ModuleKind = 'language' | 'encoder' | 'decoder' | 'vision' | 'audio' | 'projector' | 'rest' | undefined

/** A part of a model with a stack of layers of its own, or the rest that has none. */
export interface LayoutModule {
  /** What its tensors share, with the dot: `'vision_tower.'`; `''` for the only module and for the rest. */
  readonly prefix: string
  /** The names that a configuration's `modules:` may use for it; the first is its own. */
  readonly names: readonly string[]
  readonly kind: ModuleKind
  /** What precedes the layer's number, with the dot: `'model.layers.'`; undefined where there are no layers. */
  readonly layerPrefix: string | undefined
  readonly layerCount: number
  /** Every place in config.json that holds the layer count. Empty where none is known. */
  readonly layerCountKeys: readonly KeyPath[]
  /** In the order they were given. */
  readonly tensors: readonly LayoutTensor[]
}

/**
 * `embedding` and `head` have a row per token; `head-bias` an element per token; `position` a row per position;
 * `buffer` is no weight: it can be computed anew, is often absent, and is not merged.
 */
export type TensorRole = 'embedding' | 'head' | 'head-bias' | 'position' | 'buffer'

/** A tensor with its place in the model: which layer, and before or after the layers. */
export interface LayoutTensor {
  readonly name: string
  readonly shape: readonly number[]
  /** From 0, whatever the first number in the names; undefined outside the layers. */
  readonly layer: number | undefined
  readonly position: 'before' | 'layer' | 'after'
  readonly role?: TensorRole
  /** The axis whose length is the vocabulary, for embedding, head and head-bias. */
  readonly vocabularyAxis?: number
  /**
   * The name with `{layer}` for the layer's number, `{layer+1}` where numbers start at 1, `{layers}` where the number
   * follows the last layer (multi-token prediction). {@link nameInLayer} and {@link nameOutsideLayers} fill it in.
   */
  readonly template: string
}

/** The tensor's name in layer `layer`, counted from 0. */
export function nameInLayer(template: string, layer: number): string {
  return fill(template, layerPlace, layer)
}

/** The name of a tensor before or after the layers in a module of `layerCount` layers. */
export function nameOutsideLayers(template: string, layerCount: number): string {
  return fill(template, layersPlace, layerCount)
}

function fill(template: string, pattern: RegExp, value: number): string {
  const found = pattern.exec(template)
  if (found === null) return template
  const [whole, offset] = found
  return `${template.slice(0, found.index)}${value + Number(offset ?? 0)}${template.slice(found.index + whole.length)}`
}

const layerPlace = /\{layer(?:\+(\d+))?\}/
const layersPlace = /\{layers(?:\+(\d+))?\}/

export function numberTemplate(word: 'layer' | 'layers', offset: number): string {
  return offset === 0 ? `{${word}}` : `{${word}+${offset}}`
}

/** Names of the token embeddings, the main one first; encoder-decoders may store copies of it. */
export function embeddingNames(layout: CheckpointLayout): readonly string[] {
  return namesWithRole(layout, 'embedding')
}

/** Name of the embedding that has a part for each layer (Gemma 3n), where there is one; its vocabulary is its own. */
export function perLayerEmbeddingName(layout: CheckpointLayout): string | undefined {
  return embeddingNames(layout).find((name) => name.includes('per_layer'))
}

/** Names of the matrices that turn the last hidden state into logits over the vocabulary. */
export function headNames(layout: CheckpointLayout): readonly string[] {
  return namesWithRole(layout, 'head')
}

function namesWithRole(layout: CheckpointLayout, role: TensorRole): readonly string[] {
  const found = layout.modules.flatMap((module) => module.tensors.filter((tensor) => tensor.role === role))
  return found.sort((a, b) => rank(a) - rank(b)).map(({ name }) => name)
}

/** `shared` before its copies in encoder and decoder; matrices of single layers and of further-token layers last. */
function rank({ name, template }: LayoutTensor): number {
  if (name.includes('per_layer') || template.includes('{layers')) return 2
  return /(?:^|\.)shared\.weight$/.test(name) ? 0 : 1
}

/** The module that a configuration calls `name`, by its own name, its prefix or the name other tools give it. */
export function findModule(layout: CheckpointLayout, name: string): LayoutModule | undefined {
  const wanted = name.replace(/\.$/, '')
  return (
    layout.modules.find((module) => module.names[0] === wanted) ??
    layout.modules.find((module) => module.names.includes(wanted))
  )
}
