import type { KeyPath, ModelConfig, ModuleKind } from './layout.ts'
import { isPart, listSettings, settingAt, type Setting } from './settings.ts'

const countKeys = new Set([
  'num_hidden_layers',
  'n_layer',
  'n_layers',
  'num_layers',
  'num_transformer_layers',
  'num_blocks',
  'n_blocks',
  'depth',
  'encoder_layers',
  'decoder_layers',
  'num_encoder_layers',
  'num_decoder_layers',
  'conf_num_hidden_layers',
  'num_global_layers',
])
const notLayerCounts = /nextn|mtp|window|dense|shared|feat|conv_|layerdrop|sparse|moe|kv_|predict/
const looksLikeCount = /^(num|n)_.*(layers?|blocks?)$|_(layers|depth)$/
const extraKeys = [
  'num_nextn_predict_layers',
  'num_mtp_layers',
  'mtp_num_layers',
  'mtp_num_hidden_layers',
  'num_mtp_modules',
]

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
  const here = listSettings(config).filter((setting) => isCountSetting(setting) && belongs(setting, kind, pathWords))
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
  return keys.length > 0
    ? { keys, count }
    : { keys: pathWords.has('timm') ? [] : unwrittenKeys(config, kind), count: undefined }
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
    const stem = parent.replace(/_config$/, '')
    if ((kind === 'encoder' || kind === 'decoder') && (stem === 'encoder' || stem === 'decoder')) return stem === kind
    if (pathWords.has(stem)) return true
    const partKind = partKinds.find(([pattern]) => pattern.test(stem))?.[1]
    return partKind !== undefined && (partKind === kind || (partKind === 'language' && kind === undefined))
  })
}

const mentionsSide = (key: string) => /encoder|decoder|^enc_|^dec_/.test(key)

function isCountSetting({ key, value }: Setting): boolean {
  return isCount(value) && !notLayerCounts.test(key) && (countKeys.has(key) || looksLikeCount.test(key))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}
