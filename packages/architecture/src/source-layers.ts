import { keysThatHold } from './config-keys.ts'
import { familyOf } from './families.ts'
import type { KeyPath, LayoutModule, ModelConfig } from './layout.ts'
import { isPart, settingAt } from './settings.ts'

/** A model that gives layers. */
export interface SourceModel {
  readonly config: ModelConfig | undefined
  /** Its module that corresponds. */
  readonly module: LayoutModule
}

/** Where the layers of one module of the output come from. */
export interface ModuleLayers {
  /** The donor's. */
  readonly module: LayoutModule
  /** Which layer of its model each output layer stands for; its length is the new layer count. */
  readonly sourceLayers: readonly number[]
  /** The model of each output layer, where that isn't the donor. */
  readonly sourceModels?: readonly (SourceModel | undefined)[]
}

/** One layer in its model, with all that config.json says of the stack there. */
export interface SourceLayer {
  readonly layer: number
  readonly layerCount: number
  readonly family: string | undefined
  readonly settings: ModelConfig
}

/** The objects of config.json whose lists are about a module's layers. */
export function partsOf({ layerCountKeys }: LayoutModule): readonly KeyPath[] {
  const own = layerCountKeys.filter((path) => !keysThatHold('lone-layer-count').includes(path.at(-1)!))
  const parts = new Map(own.map((path) => [path.slice(0, -1).join('.'), path.slice(0, -1)]))
  return [...parts.values()]
}

/** Whether each layer stays in its place and is of the donor. */
export function isUnchanged(entry: ModuleLayers): boolean {
  return !isReordered(entry) && (entry.sourceModels ?? []).every((model) => model === undefined)
}

/** Whether the layers are others than the donor's by number. */
export function isReordered({ module, sourceLayers }: ModuleLayers): boolean {
  return sourceLayers.length !== module.layerCount || sourceLayers.some((layer, index) => layer !== index)
}

/** The layers of a module as config.json of their models describes them, seen from the donor's `part`. */
export function describeSourceLayers(donor: ModelConfig, entry: ModuleLayers, part: KeyPath): readonly SourceLayer[] {
  const { module, sourceLayers, sourceModels = [] } = entry
  const own = { config: donor, module }
  const described = new Map<SourceModel, Omit<SourceLayer, 'layer'>>()
  return sourceLayers.map((layer, index) => {
    const model = sourceModels[index] ?? own
    let description = described.get(model)
    if (description === undefined) {
      description = { layerCount: model.module.layerCount, ...settingsOf(model, part) }
      described.set(model, description)
    }
    return { layer, ...description }
  })
}

/** Gives what all parts of config.json that are about a module say; the one at the donor's place goes before the others. */
export function settingsOf({ config, module }: SourceModel, part: KeyPath): Pick<SourceLayer, 'family' | 'settings'> {
  const place = part.join('.')
  const paths = partsOf(module).toSorted((a, b) => Number(b.join('.') === place) - Number(a.join('.') === place))
  const parts = paths.map((path) => (path.length === 0 ? config : settingAt(config, path))).filter(isPart)
  const settings: Record<string, unknown> = {}
  for (const said of parts) for (const [key, value] of Object.entries(said)) settings[key] ??= value
  return { family: familyOf(parts[0]) ?? familyOf(config), settings }
}
