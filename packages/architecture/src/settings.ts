import type { KeyPath, ModelConfig } from './layout.ts'

export interface Setting {
  readonly path: KeyPath
  readonly key: string
  /** The keys of the objects that hold it, outermost first. */
  readonly parents: readonly string[]
  /** `model_type` of the innermost object around it that says one. */
  readonly family: string | undefined
  readonly value: unknown
}

/** Parts of a configuration nest two deep at most (`thinker_config.text_config`); deeper values are no model settings. */
const deepest = 2

/** Every value of config.json that is no object, with its place. */
export function listSettings(config: ModelConfig | undefined): readonly Setting[] {
  const settings: Setting[] = []
  const visit = (part: ModelConfig, parents: readonly string[], outer: string | undefined) => {
    const family = typeof part['model_type'] === 'string' ? part['model_type'] : outer
    for (const [key, value] of Object.entries(part)) {
      if (!isPart(value)) settings.push({ path: [...parents, key], key, parents, family, value })
      else if (parents.length < deepest) visit(value, [...parents, key], family)
    }
  }
  if (config !== undefined) visit(config, [], undefined)
  return settings
}

export function isPart(value: unknown): value is ModelConfig {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function settingAt(config: ModelConfig | undefined, path: KeyPath): unknown {
  let value: unknown = config
  for (const key of path) value = isPart(value) ? value[key] : undefined
  return value
}

/** A copy with the value at `path`; objects on the way are made where they are missing. */
export function withSetting(config: ModelConfig, path: KeyPath, value: unknown): ModelConfig {
  const [key, ...rest] = path
  if (key === undefined) throw new RangeError('a setting needs a key')
  const inner = config[key]
  return { ...config, [key]: rest.length === 0 ? value : withSetting(isPart(inner) ? inner : {}, rest, value) }
}
