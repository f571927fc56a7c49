import { keysThatHold, meaningOf } from './config-keys.ts'
import { countedBeyond } from './families.ts'
import type { KeyPath, ModelConfig, ModuleKind } from './layout.ts'
import { isPart, listSettings, settingAt, type Setting } from './settings.ts'

const countKeys = new Set([...keysThatHold('layer-count'), ...keysThatHold('lone-layer-count')])
const notLayerCounts = /nextn|mtp|window|dense|shared|feat|conv_|layerdrop|sparse|moe|kv_|predict/
const looksLikeCount = /^(num|n)_.*(layers?|blocks?)$|_(layers|depth)$/
const extraKeys = keysThatHold('further-layer-count')

const partKinds: readonly (readonly [RegExp, ModuleKind])[] = [
  [/vision|visual|video|image|img|vit/, 'vision'],
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
  return new Set(listCounts(listSettings(config)).map(({ value }) => value as number))
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
  const settings = listSettings(config)
  const counts = listCounts(settings)
  const place = { kind, layerPath }
  const here = ofSameSide(
    mostNamed(
      counts.filter((setting) => belongs(setting, place)),
      layerPath,
    ),
    place,
  )
  const { keys, count } = decide(here, place, found)
  if (keys.length > 0) return { keys: [...keys, ...sameOfSide(counts, place, count, keys)], count }
  const lists = settings.filter((setting) => isListOf(setting, found) && belongs(setting, place))
  if (lists.length > 0) return { keys: lists.map(({ path }) => path), count: found }
  const ofPart = decide(ofSameSide(ofSidePart(counts, kind), place), place, found)
  if (ofPart.keys.length > 0) return ofPart
  return { keys: /(?:^|[._])timm/.test(layerPath) ? [] : unwrittenKeys(config, kind), count: undefined }
}

/** What the whole says of a side that has an object of its own, too (FastSpeech 2). */
function sameOfSide(
  counts: readonly Setting[],
  { kind }: Place,
  count: number | undefined,
  known: readonly KeyPath[],
): readonly KeyPath[] {
  const places = new Set(known.map((path) => path.join('.')))
  return counts
    .filter(({ key, parents, value }) => parents.length === 0 && value === count && sideOfKey(key) === kind)
    .map(({ path }) => path)
    .filter((path) => kind !== undefined && !places.has(path.join('.')))
}

interface Place {
  readonly kind: ModuleKind
  readonly layerPath: string
}

function decide(here: readonly Setting[], { kind }: Place, found: number): LayerCountPlaces {
  const best = (settings: readonly Setting[]) => {
    const curated = settings.filter(({ key }) => countKeys.has(key))
    return curated.length > 0 ? curated : settings.filter(({ value }) => value === found)
  }
  const specific = best(here.filter(({ key }) => sideOfKey(key) !== undefined))
  const plain = best(here.filter(({ key }) => sideOfKey(key) === undefined))
  const candidates = specific.length > 0 && kind === 'decoder' ? specific : [...specific, ...plain]
  const count = (candidates.find(({ value }) => value === found) ?? candidates[0])?.value as number | undefined
  return { keys: candidates.filter(({ value }) => value === count).map(({ path }) => path), count }
}

/** The settings of the object that the path names best, where it names any: `qformer_config` for `qformer.encoder.layer`. */
function mostNamed(settings: readonly Setting[], layerPath: string): readonly Setting[] {
  const scores = settings.map(({ parents }) =>
    parents.reduce((sum, part) => sum + (isNamedBy(layerPath, stemOf(part)) ? stemOf(part).length : 0), 0),
  )
  const best = Math.max(0, ...scores)
  return settings.filter((_, index) => scores[index] === best)
}

/** Without what is said of the other side, where something is said of this one, or of none. */
function ofSameSide(settings: readonly Setting[], { kind, layerPath }: Place): readonly Setting[] {
  const ofPath = /(?:^|[._])(encoder|decoder)[._](?!.*(?:encoder|decoder)[._])/.exec(`${layerPath}.`)?.[1]
  const side = kind === 'encoder' || kind === 'decoder' ? kind : ofPath
  if (side === undefined) return settings
  const own = settings.filter(({ key }) => (sideOfKey(key) ?? side) === side)
  return own.some(({ key }) => sideOfKey(key) === side) || kind === side ? own : settings
}

/** Nothing but the length of a list tells (Nemotron-H of transformers 5). */
function isListOf({ key, value, family }: Setting, found: number): boolean {
  const isList = Array.isArray(value) || typeof value === 'string'
  return isList && value.length === found && meaningOf(key, family) === 'per-layer'
}

/** Sides of an encoder-decoder that have parts by what they work on (Pix2Struct, Florence-2). */
function ofSidePart(counts: readonly Setting[], kind: ModuleKind): readonly Setting[] {
  if (kind !== 'encoder' && kind !== 'decoder') return []
  const kindOf = ({ parents }: Setting) =>
    parents.length === 1 ? partKinds.find(([pattern]) => pattern.test(stemOf(parents[0]!)))?.[1] : undefined
  const ofLanguage = counts.filter((setting) => kindOf(setting) === 'language')
  if (kind === 'decoder') return ofLanguage
  const ofInput = counts.filter((setting) => kindOf(setting) === 'vision' || kindOf(setting) === 'audio')
  return ofInput.length > 0 && !ofLanguage.some(({ key }) => sideOfKey(key) !== undefined) ? ofInput : ofLanguage
}

/** transformers leaves settings that equal the default of their class unwritten in the parts of a larger configuration. */
function unwrittenKeys(config: ModelConfig, kind: ModuleKind): readonly KeyPath[] {
  const part = kind === 'language' ? 'text_config' : kind === 'vision' ? 'vision_config' : undefined
  return part !== undefined && isPart(settingAt(config, [part])) ? [[part, 'num_hidden_layers']] : []
}

function belongs({ key, parents }: Setting, { kind, layerPath }: Place): boolean {
  const side = sideOfKey(key)
  if ((kind === 'encoder' || kind === 'decoder') && side !== undefined && side !== kind) return false
  const isGlobal = isNamedBy(layerPath, 'global')
  if (key === 'num_global_layers') return isGlobal
  if (isGlobal && parents.length > 0) return false
  if (parents.length === 0) return kind === undefined || kind === 'language' || kind === 'encoder' || kind === 'decoder'
  return parents.every((parent) => {
    const stem = stemOf(parent)
    if ((kind === 'encoder' || kind === 'decoder') && (stem === 'encoder' || stem === 'decoder')) return stem === kind
    // A vision and language model within a larger one (pi0).
    if (stem === 'vlm' || isNamedBy(layerPath, stem)) return true
    const partKind = partKinds.find(([pattern]) => pattern.test(stem))?.[1]
    return partKind !== undefined && (partKind === kind || (partKind === 'language' && kind === undefined))
  })
}

const stemOf = (part: string) => part.replace(/(?:_model)?_config$/, '')

/** Whether the words of `stem` follow one another in the path. */
function isNamedBy(layerPath: string, stem: string): boolean {
  return `.${layerPath.replaceAll('_', '.')}.`.includes(`.${stem.replaceAll('_', '.')}.`)
}

function sideOfKey(key: string): 'encoder' | 'decoder' | undefined {
  if (/encoder|^enc_/.test(key)) return 'encoder'
  return /decoder|^dec_/.test(key) ? 'decoder' : undefined
}

/** Numbers of layers that are stored. */
const listCounts = (settings: readonly Setting[]): readonly Setting[] =>
  settings
    .filter(isCountSetting)
    .map((setting) => ({ ...setting, value: (setting.value as number) - countedBeyond(setting.key, setting.family) }))

function isCountSetting({ key, value, family }: Setting): boolean {
  if (!isCount(value)) return false
  const meaning = meaningOf(key, family)
  if (meaning !== undefined && meaning !== 'layer-count' && meaning !== 'lone-layer-count') return false
  return meaning !== undefined || (!notLayerCounts.test(key) && looksLikeCount.test(key))
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0
}
