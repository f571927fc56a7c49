import { isAbout, meaningOf, nestedSettings } from './config-keys.ts'
import type { ModelConfig, ModuleKind } from './layout.ts'
import { isPart } from './settings.ts'
import type { SourceLayer } from './source-layers.ts'

/** Where settings of the donor's stack go when its layers change. */
export interface LayerChange {
  readonly family: string | undefined
  readonly kind: ModuleKind
  readonly layerCount: number
  readonly sources: readonly SourceLayer[]
}

/** `settings` of a stack with everything that counts or numbers layers made to fit the layers that were taken. */
export function resettleSettings(settings: ModelConfig, change: LayerChange): ModelConfig {
  const revised = Object.fromEntries(
    Object.entries(settings).map(([key, value]) =>
      isPart(value) && nestedSettings.includes(key)
        ? [key, resettleSettings(value, within(change, key))]
        : [key, resettled(key, value, change)],
    ),
  )
  return { ...revised, ...listsOfOthers(settings, change) }
}

/** Lists whose entries belong to tensors outside the layers, where a layer that they name is gone. */
export function listsWithoutLayer(
  settings: ModelConfig,
  { family, layerCount, sources }: LayerChange,
): readonly string[] {
  return Object.entries(settings).flatMap(([key, value]) => {
    const isPaired = meaningOf(key, family) === 'paired-layer-numbers' && isNumbers(value)
    const isLost = (layer: number) => layer < layerCount && lastPlace(layer, sources) === undefined
    return isPaired && value.some(isLost) ? [key] : []
  })
}

function within(change: LayerChange, key: string): LayerChange {
  const inner = ({ settings }: SourceLayer) => (isPart(settings[key]) ? settings[key] : {})
  return { ...change, sources: change.sources.map((source) => ({ ...source, settings: inner(source) })) }
}

function resettled(key: string, value: unknown, change: LayerChange): unknown {
  const { family, kind, layerCount, sources } = change
  if (!isAbout(key, kind)) return value
  const meaning = meaningOf(key, family)
  switch (meaning) {
    case 'per-layer':
      return perLayer(key, value, change)
    case 'layer-cycle':
      return layerCycle(key, value, change)
    case 'per-layer-numbers':
      return numbersOfOthers(key, value, change)
    case 'layer-runs':
      return layerRuns(key, value, change)
    case 'layer-numbers':
      return layerNumbers(key, value, change, 0)
    case 'layer-numbers-from-1':
      return layerNumbers(key, value, change, 1)
    case 'paired-layer-numbers':
      return isNumbers(value)
        ? value.flatMap((layer) => (layer >= layerCount ? layer : (lastPlace(layer, sources) ?? [])))
        : value
    case 'hidden-states':
      return hiddenStates(value, change)
    case 'stage-names':
      return Array.isArray(value) ? value.map((name) => stageName(name, change)) : value
    case 'all-stage-names':
      return Array.isArray(value) && value.length === layerCount + 1 ? allStageNames(sources.length, value) : value
    case 'by-layer-number':
      return isPart(value) ? byLayerNumber(key, sources) : value
    case 'last-layer':
      return value === layerCount - 1 ? sources.length - 1 : value
    case 'layer-count':
    case 'lone-layer-count':
    case 'layer-rule':
    case 'further-layer-count':
    case 'vocabulary':
    case 'per-layer-vocabulary':
    case 'expert-count':
    case 'width':
    case 'other':
    case undefined:
      return value
    default:
      return meaning satisfies never
  }
}

/** Entries past the last layer are for those that predict further tokens; they stay. */
function perLayer(key: string, value: unknown, { layerCount, sources }: LayerChange): unknown {
  const isLetters = typeof value === 'string'
  if ((!isLetters && !Array.isArray(value)) || value.length < layerCount || layerCount === 0) return value
  if (value.length > layerCount && (isLetters || value.length > layerCount + 4)) return value
  const entries = sources.map((source) => entryOf(key, source) ?? value[Math.min(source.layer, layerCount - 1)])
  return isLetters ? entries.join('') : [...entries, ...value.slice(layerCount)]
}

/** What the layer's own model says of it: its entry in a list, or the one value for all. */
function entryOf(key: string, { settings, layer, layerCount }: SourceLayer): unknown {
  const said = settings[key]
  const value = meaningOf(key, undefined) === 'layer-runs' ? fromRuns(said) : said
  if (typeof value === 'string' || Array.isArray(value)) return value.length >= layerCount ? value[layer] : undefined
  return typeof value === 'number' ? value : undefined
}

/** Lists that the donor lacks (or has one value for) and the model of some layer has, where they say anything else. */
function listsOfOthers(settings: ModelConfig, { family, kind, sources }: LayerChange): ModelConfig {
  const keys = new Set(sources.flatMap(({ settings: own }) => Object.keys(own)))
  const lists = [...keys].flatMap((key) => {
    if (!isAbout(key, kind)) return []
    if (meaningOf(key, family) !== 'per-layer' || Array.isArray(settings[key]) || typeof settings[key] === 'string')
      return []
    const entries = sources.map((source) => entryOf(key, source) ?? settings[key])
    const isList = sources.some(({ settings: own }) => Array.isArray(own[key]))
    if (!isList || entries.includes(undefined) || entries.every((entry) => entry === settings[key])) return []
    return [[key, entries] as const]
  })
  return Object.fromEntries(lists)
}

function layerNumbers(key: string, value: unknown, { sources }: LayerChange, first: 0 | 1): unknown {
  if (!isNumbers(value)) return value
  return sources.flatMap(({ settings, layer }, index) => {
    const own = settings[key]
    return (isNumbers(own) ? own : []).includes(layer + first) ? [index + first] : []
  })
}

/** The place of the copy that precedes, where a layer names another one. */
function numbersOfOthers(key: string, value: unknown, change: LayerChange): unknown {
  const numbers = perLayer(key, value, change)
  if (!isNumbers(value) || !isNumbers(numbers)) return value
  const { sources } = change
  return numbers.map((layer, index) => lastPlace(layer, sources.slice(0, index + 1)) ?? index)
}

function layerCycle(key: string, value: unknown, { sources }: LayerChange): unknown {
  if (!Array.isArray(value) || value.length === 0) return value
  const entries = sources.map(({ settings, layer }) => {
    const own = settings[key]
    return Array.isArray(own) && own.length > 0 ? own[layer % own.length] : value[layer % value.length]
  })
  return entries.every((entry, index) => entry === value[index % value.length]) ? value : entries
}

/** Where the output has the layer for the last time. */
function lastPlace(layer: number, sources: readonly SourceLayer[]): number | undefined {
  const place = sources.findLastIndex((source) => source.layer === layer)
  return place < 0 ? undefined : place
}

/** What left layer n − 1 is hidden state n; where that layer is gone, the nearest before it stands for it. */
export function hiddenStates(value: unknown, { layerCount, sources }: LayerChange): unknown {
  const moved = (state: number) => {
    if (state <= 0 || state > layerCount) return state
    for (let layer = state - 1; layer >= 0; layer -= 1) {
      const place = lastPlace(layer, sources)
      if (place !== undefined) return place + 1
    }
    return 0
  }
  if (isNumbers(value)) return value.map(moved)
  return Number.isInteger(value) ? moved(value as number) : value
}

function stageName(name: unknown, change: LayerChange): unknown {
  const state = typeof name === 'string' ? /^stage(\d+)$/.exec(name)?.[1] : undefined
  return state === undefined ? name : `stage${String(hiddenStates(Number(state), change))}`
}

function allStageNames(count: number, [stem]: readonly unknown[]): readonly unknown[] {
  return [stem, ...Array.from({ length: count }, (_, index) => `stage${index + 1}`)]
}

/** Keys have leading zeros, so that they are in order, as transformers writes them. */
function byLayerNumber(key: string, sources: readonly SourceLayer[]): ModelConfig {
  const digits = String(sources.length - 1).length
  const entries = sources.flatMap(({ settings, layer }, index) => {
    const own = settings[key]
    const found = isPart(own) ? Object.entries(own).find(([number]) => Number(number) === layer) : undefined
    return found === undefined ? [] : [[String(index).padStart(digits, '0'), found[1]] as const]
  })
  return Object.fromEntries(entries)
}

/** `[[["global", "local"], 2]]` → global, local, global, local. */
function fromRuns(value: unknown): unknown {
  if (!Array.isArray(value)) return undefined
  const runs = value.flatMap((run: unknown) => {
    const [pattern, times] = Array.isArray(run) ? run : []
    return Array.isArray(pattern) && Number.isInteger(times)
      ? Array.from({ length: times }, () => pattern).flat()
      : [undefined]
  })
  return runs.includes(undefined) ? undefined : runs
}

function layerRuns(key: string, value: unknown, change: LayerChange): unknown {
  const before = fromRuns(value)
  const entries = perLayer(key, before, change)
  if (!Array.isArray(entries) || !Array.isArray(before)) return value
  if (entries.length === before.length && entries.every((entry, index) => entry === before[index])) return value
  const { length } = entries
  const period = entries.findIndex(
    (_, index) => length % (index + 1) === 0 && entries.every((entry, at) => entry === entries[at % (index + 1)]),
  )
  return length === 0 ? [] : [[entries.slice(0, period + 1), length / (period + 1)]]
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((entry) => Number.isInteger(entry))
}
