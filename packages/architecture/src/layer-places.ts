import { type KeyMeaning, meaningOf } from './config-keys.ts'
import { familyOf } from './families.ts'
import { layerRules } from './layer-rules.ts'
import type { KeyPath, LayoutModule, LayoutTensor, ModelConfig } from './layout.ts'
import { reviseConfig } from './revise-config.ts'
import { kindIn } from './rule-settings.ts'
import { isPart, settingAt } from './settings.ts'
import { isReordered, isUnchanged, type ModuleLayers, partsOf } from './source-layers.ts'

/** A layer of the output beside what config.json, revised as far as can be, makes of its place. */
export interface LayerInPlace {
  readonly place: number
  /** In its own model. */
  readonly layer: number
  /** Tensors that a loader looks for in this place, and the layer hasn't; by what follows the layer's number. */
  readonly missing: readonly string[]
  /** Those that it has in another shape. */
  readonly shapes: readonly string[]
  /** Those that it has, and nothing reads there. */
  readonly surplus: readonly string[]
}

/** Layers that no loader could read, and why. */
export interface UnreadableLayers {
  /** Without the dot: `model.layers`. */
  readonly path: string
  readonly layers: readonly LayerInPlace[]
  /** Tensors outside the layers that have a part for each of them (Gemma 3n). */
  readonly partByLayer: readonly string[]
}

const partByLayer = /(?:^|\.)(?:embed_tokens_per_layer|per_layer_model_projection)\.weight$|mid_position_embeddings$/
/** Adapters of layers that share the rest, kept together in one of them (Zamba 2). */
const adapters = /^(.*_adapter_list)\.\d+\./

/**
 * Finds what no loader could read by any config.json: layers that lack what the class looks for in their new places, since their
 * kind follows from their number alone (`first_k_dense_replace`, the first layer of ModernBERT), and tensors with a part for each layer.
 */
export function findUnreadableLayers(
  config: ModelConfig,
  layers: readonly ModuleLayers[],
): readonly UnreadableLayers[] {
  return layers
    .filter((entry) => !isUnchanged(entry))
    .flatMap((entry) => {
      const { tensors, layerPrefix } = entry.module
      const found = compareWithPlaces(config, entry).filter(({ missing, shapes }) => missing.length + shapes.length > 0)
      const shared = (isReordered(entry) ? tensors : []).flatMap(({ name, layer }) =>
        layer === undefined && partByLayer.test(name) ? [name] : (adapters.exec(name)?.slice(1, 2) ?? []),
      )
      if (found.length + shared.length === 0) return []
      return [{ path: layerPrefix!.slice(0, -1), layers: found, partByLayer: [...new Set(shared)] }]
    })
}

/** Compares each layer that moves with one of the donor's of which config.json says what it says of the new place. */
export function compareWithPlaces(config: ModelConfig, entry: ModuleLayers): readonly LayerInPlace[] {
  const { module, sourceLayers, sourceModels = [] } = entry
  const [part] = partsOf(module)
  if (part === undefined || module.layerCount === 0) return []
  const revised = reviseConfig(config, { layers: [entry] })
  const [before, after] = [config, revised].map((said) => describeStack(said, part))
  const shared = Object.keys(before!.settings).filter((key) => Object.hasOwn(after!.settings, key))
  const kinds = listKinds(before!, shared, module.layerCount)
  const wanted = listKinds(after!, shared, sourceLayers.length)
  const own = tensorsByLayer(module)
  // Where no layer moves, what the donor's layers differ in is said by words that nobody here may know.
  const usual = isReordered(entry) ? undefined : commonTensors([...own.values()])
  const ofModels = new Map([[module, own]])
  return sourceLayers.flatMap((layer, place): readonly LayerInPlace[] => {
    const model = sourceModels[place]?.module ?? module
    const tensors = ofModels.get(model) ?? tensorsByLayer(model)
    ofModels.set(model, tensors)
    const like = referenceFor(wanted[place]!, place, kinds)
    const [found, expected] = [tensors.get(layer), usual ?? (like === undefined ? undefined : own.get(like))]
    // A layer without tensors does nothing.
    if (found === undefined || expected === undefined || (model === module && (like === layer || usual))) return []
    const missing = [...expected.keys()].filter((name) => !found.has(name))
    const shapes = [...expected].flatMap(([name, shape]) =>
      found.has(name) && found.get(name) !== shape ? [name] : [],
    )
    const surplus = usual ? [] : [...found.keys()].filter((name) => !expected.has(name))
    return missing.length + shapes.length + surplus.length === 0 ? [] : [{ place, layer, missing, shapes, surplus }]
  })
}

/** The donor's layer that is of a kind: the first for the first place, which is special in some families, else a late one. */
function referenceFor(kind: string, place: number, kinds: readonly string[]): number | undefined {
  if (place === 0 && kinds[0] === kind) return 0
  const last = kinds.lastIndexOf(kind)
  return last < 0 ? undefined : last
}

interface Stack {
  readonly settings: ModelConfig
  readonly family: string | undefined
}

function describeStack(config: ModelConfig, part: KeyPath): Stack {
  const settings = part.length === 0 ? config : settingAt(config, part)
  return isPart(settings)
    ? { settings, family: familyOf(settings) ?? familyOf(config) }
    : { settings: {}, family: familyOf(config) }
}

/** All that config.json says of each layer alone, as a text. */
function listKinds({ settings, family }: Stack, keys: readonly string[], count: number): readonly string[] {
  return Array.from({ length: count }, (_, layer) => {
    const said = keys.map((key) => saidOfLayer(meaningOf(key, family), settings[key], layer))
    return JSON.stringify([said, layerRules.map((rule) => kindIn(rule, settings, family, layer, count) ?? null)])
  })
}

function saidOfLayer(meaning: KeyMeaning | undefined, value: unknown, layer: number): unknown {
  if (meaning === 'per-layer') return Array.isArray(value) || typeof value === 'string' ? value[layer] : undefined
  if (!Array.isArray(value)) return undefined
  if (meaning === 'layer-numbers') return value.includes(layer)
  return meaning === 'layer-cycle' ? value[layer % value.length] : undefined
}

/** Shapes by what follows the layer's number, for each layer that has tensors. */
function tensorsByLayer({ tensors }: LayoutModule): ReadonlyMap<number, ReadonlyMap<string, string>> {
  const byLayer = new Map<number, Map<string, string>>()
  for (const tensor of tensors) {
    const { layer, role, shape } = tensor
    if (layer === undefined || role === 'buffer') continue
    const known = byLayer.get(layer) ?? new Map<string, string>()
    byLayer.set(layer, known.set(suffixOf(tensor), shape.join()))
  }
  return byLayer
}

/** What all layers have, in one shape. */
function commonTensors([first, ...others]: readonly ReadonlyMap<string, string>[]): ReadonlyMap<string, string> {
  const shared = [...(first ?? [])].filter(([name, shape]) => others.every((tensors) => tensors.get(name) === shape))
  return new Map(shared)
}

const suffixOf = ({ template }: LayoutTensor): string => template.slice(template.indexOf('}') + 2)
