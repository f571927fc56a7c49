import { ArchitectureError } from './errors.ts'
import { type KeyMeaning, keysThatHold } from './config-keys.ts'
import { countedBeyond, familyFacts, familyOf } from './families.ts'
import { hiddenStates, listsWithoutLayer, resettleSettings } from './layer-settings.ts'
import type { KeyPath, ModelConfig } from './layout.ts'
import { fitRules } from './rule-settings.ts'
import { isPart, listSettings, settingAt, withSetting } from './settings.ts'
import { describeSourceLayers, isReordered, isUnchanged, type ModuleLayers, partsOf } from './source-layers.ts'
import { saysTied, tiePathsToWrite } from './tied.ts'

/** Parts with a vocabulary that isn't that of the token embedding. */
const otherVocabulary = /vision|audio|image|visual|talker|codec|qformer|speech/

/** What the output has otherwise than the model whose config.json it takes, the donor. */
export interface ConfigRevision {
  readonly layers?: readonly ModuleLayers[]
  /** Whether the output has one matrix for head and token embedding; absent where that is so as in the donor. */
  readonly tied?: boolean
  /** Rows of the token embedding that was written. */
  readonly vocabularySize?: number
  /** Rows of the donor's. */
  readonly donorVocabularySize?: number
  /** Rows of the embedding with a part for each layer (Gemma 3n), where they are others than the donor's. */
  readonly perLayerVocabularySize?: number
  /** As transformers spells it: `bfloat16`. */
  readonly dtype?: string
  /** True where quantized weights were written as ordinary ones. */
  readonly dequantized?: boolean
}

/**
 * The donor's config.json made to fit what was written; keys that it doesn't concern stay as they are and in their order.
 * Whatever counts or numbers layers follows the layers that were taken, by what config.json of each layer's own model says.
 * @throws ArchitectureError when a layer count changed and there is no key for it, or a source layer is out of range.
 */
export function reviseConfig(config: ModelConfig, revision: ConfigRevision): ModelConfig {
  let revised = withLayers(config, revision.layers ?? []).config
  if (revision.tied !== undefined && !saysTied(config, revision.tied)) {
    for (const path of tiePathsToWrite(config)) revised = withSetting(revised, path, revision.tied)
  }
  for (const [path, size] of vocabularySettings(config, revision)) revised = withSetting(revised, path, size)
  if (revision.dtype !== undefined) {
    for (const path of dtypePaths(config)) revised = withSetting(revised, path, revision.dtype)
  }
  return revision.dequantized === true ? withoutKeys(revised, ['quantization_config', 'compression_config']) : revised
}

/**
 * Settings by which the index of a layer decides what it is (`first_k_dense_replace`, `attn_layer_period`) where some layers
 * are something else in their new places, whatever config.json says.
 */
export function findPeriodicSettings(config: ModelConfig, layers: readonly ModuleLayers[]): readonly string[] {
  return withLayers(config, layers).unfit
}

function withLayers(
  config: ModelConfig,
  layers: readonly ModuleLayers[],
): { readonly config: ModelConfig; readonly unfit: readonly string[] } {
  const changed = layers.filter((entry) => !isUnchanged(entry))
  const unfit: string[] = []
  let revised = config
  for (const entry of changed) {
    checkLayers(entry)
    const { module } = entry
    for (const part of partsOf(module)) {
      const settings = part.length === 0 ? revised : settingAt(revised, part)
      if (!isPart(settings)) continue
      const family = familyOf(settings) ?? familyOf(config)
      const sources = describeSourceLayers(config, entry, part)
      const change = { family, kind: module.kind, layerCount: module.layerCount, sources }
      const outcome = fitRules(resettleSettings(settings, change), change)
      unfit.push(...[...outcome.unfit, ...listsWithoutLayer(settings, change)].map((key) => [...part, key].join('.')))
      revised = part.length === 0 ? outcome.settings : withSetting(revised, part, outcome.settings)
    }
    revised = withOutsideSettings(revised, entry)
  }
  const reordered = new Set(layers.filter(isReordered).map(({ module }) => module))
  for (const { module, sourceLayers } of reordered.size === 0 ? [] : layers) {
    for (const path of module.layerCountKeys) {
      const said = settingAt(config, path)
      if (said === undefined || (reordered.has(module) && typeof said === 'number'))
        revised = withSetting(revised, path, sourceLayers.length + countedBeyond(path.at(-1), familyOf(config)))
    }
  }
  return { config: revised, unfit }
}

function checkLayers({ module, sourceLayers, sourceModels = [] }: ModuleLayers): void {
  const name = module.names[0] ?? module.prefix
  sourceLayers.forEach((layer, index) => {
    const { layerCount } = sourceModels[index]?.module ?? module
    if (Number.isInteger(layer) && layer >= 0 && layer < layerCount) return
    throw new ArchitectureError({ code: 'no-such-layer', module: name, layer, layerCount })
  })
  if (module.layerCountKeys.length > 0 || sourceLayers.length === module.layerCount) return
  throw new ArchitectureError({
    code: 'no-layer-count-key',
    module: name,
    from: module.layerCount,
    to: sourceLayers.length,
  })
}

/** What stands outside the object that describes a vision tower and means hidden states of it. */
function withOutsideSettings(config: ModelConfig, entry: ModuleLayers): ModelConfig {
  if (entry.module.kind !== 'vision') return config
  const sources = describeSourceLayers(config, entry, [])
  const change = { family: familyOf(config), kind: entry.module.kind, layerCount: entry.module.layerCount, sources }
  const keys = keysThatHold('hidden-states').filter((key) => /^(?:mm_)?vision_/.test(key) && config[key] !== undefined)
  return keys.reduce((revised, key) => withSetting(revised, [key], hiddenStates(config[key], change)), config)
}

/**
 * Where rows of embeddings are counted, and what to write: nothing where they are as many as in the donor, and places that say
 * another number than its rows stay.
 */
function vocabularySettings(
  config: ModelConfig,
  { vocabularySize, donorVocabularySize, perLayerVocabularySize }: ConfigRevision,
): readonly (readonly [KeyPath, number])[] {
  const places = (meaning: KeyMeaning) => {
    const keys = keysThatHold(meaning)
    return listSettings(config).filter(
      ({ key, parents, value }) =>
        keys.includes(key) && typeof value === 'number' && !parents.some((part) => otherVocabulary.test(part)),
    )
  }
  const perLayer = places('per-layer-vocabulary').flatMap(({ path }) =>
    perLayerVocabularySize === undefined ? [] : [[path, perLayerVocabularySize] as const],
  )
  if (vocabularySize === undefined || vocabularySize === donorVocabularySize) return perLayer
  const said = places('vocabulary')
  const more = familyFacts(familyOf(config)).extraEmbeddingRows ?? 0
  const exact = said.filter(({ value }) => donorVocabularySize !== undefined && value === donorVocabularySize - more)
  const usual = isPart(config['text_config']) ? ['text_config', 'vocab_size'] : ['vocab_size']
  const paths = (exact.length > 0 ? exact : said).map(({ path }) => path)
  return [...perLayer, ...(paths.length > 0 ? paths : [usual]).map((path) => [path, vocabularySize - more] as const)]
}

/** The spelling changed from `torch_dtype` to `dtype` with transformers 4.56; both are read. */
function dtypePaths(config: ModelConfig): readonly KeyPath[] {
  const said = listSettings(config).filter(
    ({ key, parents, value }) =>
      (key === 'torch_dtype' || key === 'dtype') &&
      (typeof value === 'string' || (value === null && parents.length === 0)),
  )
  if (said.some(({ parents }) => parents.length === 0)) return said.map(({ path }) => path)
  return [[said[0]?.key ?? 'torch_dtype'], ...said.map(({ path }) => path)]
}

function withoutKeys(config: ModelConfig, keys: readonly string[]): ModelConfig {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)))
}
