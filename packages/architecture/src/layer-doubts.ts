import { type KeyMeaning, meaningOf } from './config-keys.ts'
import { familyOf } from './families.ts'
import { layerRules } from './layer-rules.ts'
import type { LayoutModule, ModelConfig } from './layout.ts'
import { kindIn } from './rule-settings.ts'
import { isPart, settingAt } from './settings.ts'
import { describeSourceLayers, isReordered, type ModuleLayers, partsOf } from './source-layers.ts'

/**
 * What a person should look at where layers change their number or their places, and nobody can decide: settings that look
 * like a layer count and are in no table, lists of tensors that are numbered like the layers and lie outside them, tensors
 * with a part for each layer, and layers that are other than the rest by their place alone. `layers` has all modules.
 */
export function listLayerDoubts(config: ModelConfig, layers: readonly ModuleLayers[]): readonly string[] {
  const all = layers.map(({ module }) => module)
  return layers
    .filter(isReordered)
    .flatMap((entry) => [
      ...noteUnknownSettings(config, entry),
      ...noteNumberedLists(entry, all),
      ...noteSharedTensors(entry),
      ...noteOddLayers(config, entry),
    ])
}

function noteUnknownSettings(config: ModelConfig, { module, sourceLayers }: ModuleLayers): readonly string[] {
  const { layerCount } = module
  const now =
    sourceLayers.length === layerCount
      ? 'the layers are in another order now'
      : `there are ${sourceLayers.length} layers now instead of ${layerCount}`
  return partsOf(module).flatMap((part) => {
    const settings = part.length === 0 ? config : settingAt(config, part)
    if (!isPart(settings)) return []
    const family = familyOf(settings) ?? familyOf(config)
    return Object.entries(settings).flatMap(([key, value]) => {
      if (meaningOf(key, family) !== undefined || layerCount < 2) return []
      const path = [...part, key].join('.')
      if (value === layerCount && sourceLayers.length !== layerCount)
        return [
          `config.json: ${path} is ${layerCount}, as the layer count was; nobody knows what it holds, so it stays (${now})`,
        ]
      if (!Array.isArray(value) || !mayBeByLayer(key, value, layerCount)) return []
      return [
        `config.json: ${path} may have to do with single layers; nobody knows what it holds, so it stays (${now})`,
      ]
    })
  })
}

function mayBeByLayer(key: string, value: readonly unknown[], layerCount: number): boolean {
  if (value.length === layerCount) return true
  const isNamed = /layer|block|(?:^|_)(?:idxs?|index(?:es)?|indices)(?:_|$)/.test(key)
  return (
    isNamed && value.length > 0 && value.every((entry) => Number.isInteger(entry) && (entry as number) < layerCount)
  )
}

/** Adapters, cross-attention or heads, one for each layer, beside the layers. */
function noteNumberedLists({ module, sourceLayers }: ModuleLayers, all: readonly LayoutModule[]): readonly string[] {
  if (module.layerCount < 2) return []
  const numbers = new Map<string, Set<number>>()
  for (const { tensors } of all.filter((other) => other === module || other.layerCount === 0)) {
    for (const { name, layer, role } of tensors) {
      const match = layer === undefined && role !== 'buffer' ? /^(.*?)\.(\d+)\./.exec(name) : null
      if (match === null || /conv|mtp|merger|embed|mlp$|projector|downsample/.test(match[1]!)) continue
      const known = numbers.get(match[1]!) ?? new Set()
      numbers.set(match[1]!, known.add(Number(match[2])))
    }
  }
  return [...numbers].flatMap(([path, { size }]) =>
    size === module.layerCount && size !== sourceLayers.length
      ? [
          `${path} is numbered from 0 to ${size - 1} as the ${size} layers of ${module.layerPrefix!.slice(0, -1)} were, which are ${sourceLayers.length} now; it stays as it is`,
        ]
      : [],
  )
}

/** Tensors with a part for each layer along one axis (Gemma 3n). */
const partByLayer = /(?:^|\.)(?:embed_tokens_per_layer|per_layer_model_projection)\.weight$|mid_position_embeddings$/

function noteSharedTensors({ module }: ModuleLayers): readonly string[] {
  return module.tensors.flatMap(({ name, layer }) =>
    layer === undefined && partByLayer.test(name)
      ? [
          `${name} has a part for each of ${module.layerCount} layers and stays as it is: no loader can read it with other layers`,
        ]
      : [],
  )
}

/** Layers that have other tensors than those of which config.json says the same, such as the first of ModernBERT. */
function noteOddLayers(config: ModelConfig, { module, sourceLayers }: ModuleLayers): readonly string[] {
  const names = Array.from({ length: module.layerCount }, () => new Set<string>())
  for (const { layer, template, role } of module.tensors)
    if (layer !== undefined && role !== 'buffer') names[layer]!.add(template)
  const kinds = kindsByConfig(config, module)
  const usual = new Map<string, Set<string>>()
  // The last layer of a kind is the least likely to be the odd one.
  names.forEach((own, layer) => usual.set(kinds[layer]!, own))
  return names.flatMap((own, layer) => {
    const others = usual.get(kinds[layer]!)!
    const more = [...own].filter((name) => !others.has(name))
    const less = [...others].filter((name) => !own.has(name))
    const isMoved = sourceLayers.some((source, index) => (source === layer) !== (index === layer))
    if (!isMoved || own.size === 0 || others.size === 0 || more.length + less.length === 0) return []
    const [what, example] = more.length > 0 ? (['has', more[0]!] as const) : (['lacks', less[0]!] as const)
    const suffix = example.slice(example.indexOf('}') + 2)
    return [
      `${module.layerPrefix!}${layer} ${what} ${suffix}, other than layers of which config.json says the same; a loader may expect that of this place alone`,
    ]
  })
}

/** All that config.json says of each layer alone, as a text. */
function kindsByConfig(config: ModelConfig, module: LayoutModule): readonly string[] {
  const sourceLayers = Array.from({ length: module.layerCount }, (_, layer) => layer)
  const [part] = partsOf(module)
  if (part === undefined) return sourceLayers.map(() => '')
  return describeSourceLayers(config, { module, sourceLayers }, part).map(({ settings, family, layer, layerCount }) => {
    const entries = Object.entries(settings).map(([key, value]) => saidOfLayer(meaningOf(key, family), value, layer))
    return JSON.stringify([entries, layerRules.map((rule) => kindIn(rule, settings, family, layer, layerCount))])
  })
}

function saidOfLayer(meaning: KeyMeaning | undefined, value: unknown, layer: number): unknown {
  if (meaning === 'per-layer') return Array.isArray(value) || typeof value === 'string' ? value[layer] : undefined
  if (!Array.isArray(value)) return undefined
  if (meaning === 'layer-numbers') return value.includes(layer)
  return meaning === 'layer-cycle' ? value[layer % value.length] : undefined
}
