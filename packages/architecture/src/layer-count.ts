import { keysThatHold, meaningOf } from './config-keys.ts'
import type { KeyPath, ModelConfig, ModuleKind } from './layout.ts'
import { familyOf } from './families.ts'
import { isPart, listSettings, settingAt, type Setting } from './settings.ts'

const countKeys = new Set([...keysThatHold('layer-count'), ...keysThatHold('lone-layer-count')])
const notLayerCounts = /nextn|mtp|window|dense|shared|feat|conv_|layerdrop|sparse|moe|kv_|predict/
const looksLikeCount = /^(num|n)_.*(layers?|blocks?)$|_(layers|depth)$/
const extraKeys = keysThatHold('further-layer-count')

const partKinds: readonly (readonly [RegExp, ModuleKind])[] = [
  [/vision|visual|image|img|vit/, 'vision'],
  [/audio|speech|acoustic/, 'audio'],
  [/^(text|llm|language|lm|decoder|language_model)$/, 'language'],
]

/** How many numbers after the last layer hold layers that predict further tokens (DeepSeek-V3, GLM-4.5). */
export function extraLayers(config: ModelConfig | undefined): number {
  const value = listSettings(config).find(
    ({ key, value }) => extraKeys.includes(key) && isCount(value) && value > 0,
  )?.value
  return isCount(value) ? value : 0
}

/** All numbers in config.json that a layer count may be. */
export function possibleLayerCounts(config: ModelConfig | undefined): ReadonlySet<number> {
  return new Set(listSettings(config).flatMap((setting) => (isCountSetting(setting) ? [setting.value as number] : [])))
}

export interface LayerCountPlaces {
  readonly keys: readonly KeyPath[]
  /** What config.json says there; undefined where it says nothing. */
  readonly count: number | undefined
}

/** Where config.json says how many layers the stack at `layerPath` (`model.layers`) has; `found` is what its tensors say. */
export function findLayerCount(
  config: ModelConfig | undefined,
  { kind, layerPath, found }: { kind: ModuleKind; layerPath: string; found: number },
): LayerCountPlaces {
  if (config === undefined) return { keys: [], count: undefined }
  const pathWords = new Set(layerPath.split(/[._]/))
  const fitting = listSettings(config).filter((setting) => isCountSetting(setting) && belongs(setting, kind, pathWords))
  const named = fitting.filter(({ parents }) => parents.some((part) => pathWords.has(stemOf(part))))
  const here = kind === undefined && named.length > 0 ? named : fitting
  const best = (settings: readonly Setting[]) => {
    const curated = settings.filter(({ key }) => countKeys.has(key))
    return curated.length > 0 ? curated : settings.filter(({ value }) => value === found)
  }
  const specific = best(here.filter(({ key }) => mentionsSide(key)))
  const plain = best(here.filter(({ key }) => !mentionsSide(key)))
  const isSide = kind === 'encoder' || kind === 'decoder'
  const candidates = isSide && specific.length > 0 && kind === 'decoder' ? specific : [...specific, ...plain]
  const count = (candidates.find(({ value }) => value === found) ?? candidates[0])?.value as number | undefined
  const keys = candidates.filter(({ value }) => value === count).map(({ path }) => path)
  if (keys.length > 0) return { keys, count }
  const lists = listKeys(config, { kind, pathWords, found })
  if (lists.length > 0) return { keys: lists, count: found }
  return { keys: pathWords.has('timm') ? [] : unwrittenKeys(config, kind), count: undefined }
}

/** Where nothing but the length of a list tells (Nemotron-H of transformers 5). */
function listKeys(
  config: ModelConfig,
  { kind, pathWords, found }: { kind: ModuleKind; pathWords: ReadonlySet<string>; found: number },
): readonly KeyPath[] {
  const family = familyOf(config)
  return listSettings(config).flatMap((setting) => {
    const { key, path, value } = setting
    const isList = (Array.isArray(value) || typeof value === 'string') && value.length === found
    return isList && meaningOf(key, family) === 'per-layer' && belongs(setting, kind, pathWords) ? [path] : []
  })
}

/** transformers leaves settings that equal the default of their class unwritten in the parts of a larger configuration. */
function unwrittenKeys(config: ModelConfig, kind: ModuleKind): readonly KeyPath[] {
  const part = kind === 'language' ? 'text_config' : kind === 'vision' ? 'vision_config' : undefined
  return part !== undefined && isPart(settingAt(config, [part])) ? [[part, 'num_hidden_layers']] : []
}

function belongs({ key, parents }: Setting, kind: ModuleKind, pathWords: ReadonlySet<string>): boolean {
  if (kind === 'encoder' && /decoder|^dec_/.test(key)) return false
  if (kind === 'decoder' && /encoder|^enc_/.test(key)) return false
  if (key === 'num_global_layers') return pathWords.has('global')
  if (pathWords.has('global') && parents.length > 0) return false
  if (parents.length === 0) return kind === undefined || kind === 'language' || kind === 'encoder' || kind === 'decoder'
  return parents.every((parent) => {
    const stem = stemOf(parent)
    if ((kind === 'encoder' || kind === 'decoder') && (stem === 'encoder' || stem === 'decoder')) return stem === kind
    if (pathWords.has(stem)) return true
    const partKind = partKinds.find(([pattern]) => pattern.test(stem))?.[1]
    return partKind !== undefined && (partKind === kind || (partKind === 'language' && kind === undefined))
  })
}

const stemOf = (part: string) => part.replace(/_config$/, '')

const mentionsSide = (key: string) => /encoder|decoder|^enc_|^dec_/.test(key)

function isCountSetting({ key, value }: Setting): boolean {
  return isCount(value) && !notLayerCounts.test(key) && (countKeys.has(key) || looksLikeCount.test(key))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}
