import { ArchitectureError } from './errors.ts'
import type { KeyPath, LayoutModule, ModelConfig } from './layout.ts'
import { listPeriodicSettings, resliceSettings } from './per-layer-settings.ts'
import { vocabularyKeys } from './roles.ts'
import { isPart, listSettings, settingAt, withSetting } from './settings.ts'
import { isTied, tiePathsToWrite } from './tied.ts'

export interface ModuleLayers {
  readonly module: LayoutModule
  /** Which layer of the donor each output layer stands for; its length is the new layer count. */
  readonly sourceLayers: readonly number[]
}

export interface ConfigRevision {
  readonly layers?: readonly ModuleLayers[]
  /** Whether the output has one matrix for head and token embedding. */
  readonly tied?: boolean
  /** Rows of the token embedding that was written. */
  readonly vocabularySize?: number
  /** As transformers spells it: `bfloat16`. */
  readonly dtype?: string
  /** True where quantised weights were written as ordinary ones. */
  readonly dequantized?: boolean
}

/**
 * The donor's config.json made to fit what was written; keys that it doesn't concern stay as they are and in their order.
 * Lists with an entry per layer follow the layers.
 * @throws ArchitectureError when a layer count changed and there is no key for it, or a source layer is out of range.
 */
export function reviseConfig(config: ModelConfig, revision: ConfigRevision): ModelConfig {
  let revised = withLayers(config, revision.layers ?? [])
  if (revision.tied !== undefined && revision.tied !== isTied(config)) {
    for (const path of tiePathsToWrite(config)) revised = withSetting(revised, path, revision.tied)
  }
  if (revision.vocabularySize !== undefined) {
    for (const path of vocabularyPaths(config)) revised = withSetting(revised, path, revision.vocabularySize)
  }
  if (revision.dtype !== undefined) {
    for (const path of dtypePaths(config)) revised = withSetting(revised, path, revision.dtype)
  }
  return revision.dequantized === true ? withoutKeys(revised, ['quantization_config', 'compression_config']) : revised
}

/**
 * Settings by which the index of a layer decides what it is (`decoder_sparse_step`, `attn_layer_period`), for modules whose
 * layers change their places: config.json can't express the new order.
 */
export function findPeriodicSettings(config: ModelConfig, layers: readonly ModuleLayers[]): readonly string[] {
  const changed = layers.filter((entry) => !isIdentity(entry))
  return changed.flatMap(({ module }) =>
    partsOf(module).flatMap((part) => {
      const settings = part.length === 0 ? config : settingAt(config, part)
      return isPart(settings) ? listPeriodicSettings(settings).map((key) => [...part, key].join('.')) : []
    }),
  )
}

function withLayers(config: ModelConfig, layers: readonly ModuleLayers[]): ModelConfig {
  const changed = layers.filter((entry) => !isIdentity(entry))
  let revised = config
  for (const { module, sourceLayers } of changed) {
    const name = module.names[0] ?? module.prefix
    const { layerCount } = module
    const outside = sourceLayers.find((layer) => !Number.isInteger(layer) || layer < 0 || layer >= layerCount)
    if (outside !== undefined)
      throw new ArchitectureError({ code: 'no-such-layer', module: name, layer: outside, layerCount })
    if (module.layerCountKeys.length === 0 && sourceLayers.length !== layerCount) {
      throw new ArchitectureError({
        code: 'no-layer-count-key',
        module: name,
        from: layerCount,
        to: sourceLayers.length,
      })
    }
    for (const part of partsOf(module)) {
      const settings = part.length === 0 ? revised : settingAt(revised, part)
      if (!isPart(settings)) continue
      const resliced = resliceSettings(settings, layerCount, sourceLayers)
      revised = part.length === 0 ? resliced : withSetting(revised, part, resliced)
    }
  }
  const unwritten = changed.length === 0 ? [] : layers.filter((entry) => isIdentity(entry))
  for (const { module, sourceLayers } of [...changed, ...unwritten]) {
    for (const path of module.layerCountKeys) {
      if (changed.some((entry) => entry.module === module) || settingAt(config, path) === undefined)
        revised = withSetting(revised, path, sourceLayers.length)
    }
  }
  return revised
}

/** The objects of config.json that describe a module. */
function partsOf(module: LayoutModule): readonly KeyPath[] {
  const parts = new Map(module.layerCountKeys.map((path) => [path.slice(0, -1).join('.'), path.slice(0, -1)]))
  return [...parts.values()]
}

function isIdentity({ module, sourceLayers }: ModuleLayers): boolean {
  return sourceLayers.length === module.layerCount && sourceLayers.every((layer, index) => layer === index)
}

function vocabularyPaths(config: ModelConfig): readonly KeyPath[] {
  const said = listSettings(config).filter(({ key, parents, value }) => {
    return (
      vocabularyKeys.includes(key) &&
      typeof value === 'number' &&
      !parents.some((part) => /vision|audio|image|visual|talker|codec/.test(part))
    )
  })
  if (said.length > 0) return said.map(({ path }) => path)
  return [isPart(config['text_config']) ? ['text_config', 'vocab_size'] : ['vocab_size']]
}

/** The spelling changed from `torch_dtype` to `dtype` with transformers 4.56; both are read. */
function dtypePaths(config: ModelConfig): readonly KeyPath[] {
  const said = listSettings(config).filter(
    ({ key, value }) => (key === 'torch_dtype' || key === 'dtype') && (typeof value === 'string' || value === null),
  )
  if (said.some(({ parents }) => parents.length === 0)) return said.map(({ path }) => path)
  return [[said[0]?.key ?? 'torch_dtype'], ...said.map(({ path }) => path)]
}

function withoutKeys(config: ModelConfig, keys: readonly string[]): ModelConfig {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key)))
}
