import { counted } from '@mk/errors'
import { isInTable, meaningOf } from './config-keys.ts'
import { familyOf } from './families.ts'
import type { LayoutModule, ModelConfig } from './layout.ts'
import { compareWithPlaces } from './layer-places.ts'
import { isPart, settingAt } from './settings.ts'
import { isReordered, type ModuleLayers, partsOf } from './source-layers.ts'

/**
 * What a person should look at where layers change their number or their places, and nobody can decide: settings that look
 * like a layer count and are in no table, lists of tensors that are numbered like the layers and lie outside them, and tensors
 * that nothing reads where they stand now. `layers` has all modules.
 */
export function listLayerDoubts(config: ModelConfig, layers: readonly ModuleLayers[]): readonly string[] {
  const all = layers.map(({ module }) => module)
  return layers
    .filter(isReordered)
    .flatMap((entry) => [
      ...noteUnknownSettings(config, entry),
      ...noteNumberedLists(entry, all),
      ...noteSurplus(config, entry),
    ])
}

function noteUnknownSettings(config: ModelConfig, { module, sourceLayers }: ModuleLayers): readonly string[] {
  const { layerCount } = module
  const now =
    sourceLayers.length === layerCount
      ? 'the layers are in another order now'
      : `there ${sourceLayers.length === 1 ? 'is' : 'are'} ${counted(sourceLayers.length, 'layer')} now instead of ${layerCount}`
  return partsOf(module).flatMap((part) => {
    const settings = part.length === 0 ? config : settingAt(config, part)
    if (!isPart(settings)) return []
    const family = familyOf(settings) ?? familyOf(config)
    return Object.entries(settings).flatMap(([key, value]) => {
      const isLong =
        Array.isArray(value) && value.length === layerCount && !isInTable(key, family) && !ofNoLayer.test(key)
      const meaning = meaningOf(key, family)
      if (layerCount < 2 || (meaning !== undefined && !(meaning === 'other' && isLong))) return []
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

/** Lists that are none of layers, however long. */
const ofNoLayer = /token|(?:^|_)ids?$|size|vocab|label|version|resolution/

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
  const perceptron = /(?:^|\.)layers\.\d+\.(?:\d+\.)?(?:weight|bias)$/
  for (const { tensors } of all.filter((other) => other === module || other.layerCount === 0)) {
    for (const { name, layer, role } of tensors) {
      const match = layer === undefined && role !== 'buffer' ? /^(.*?)\.(\d+)\./.exec(name) : null
      if (match === null || perceptron.test(name) || /conv|mtp|merger|embed|mlp$|project|downsample/.test(match[1]!))
        continue
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

/** Layers with tensors that config.json doesn't speak of in their new place, such as the biases of T5 past its first layer. */
function noteSurplus(config: ModelConfig, entry: ModuleLayers): readonly string[] {
  return compareWithPlaces(config, entry).flatMap(({ place, layer, surplus, missing, shapes }) =>
    surplus.length === 0 || missing.length > 0 || shapes.length > 0
      ? []
      : [
          `${entry.module.layerPrefix!}${place} has ${surplus[0]!} from layer ${layer}, other than layers of which config.json says the same; loaders read that in its old place alone`,
        ],
  )
}
