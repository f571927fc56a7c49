import { ConversionError } from './errors.ts'
import type { SettingValue } from './family.ts'

/** config.json, or a part of it. */
export type ConfigValues = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is ConfigValues =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * The settings of the language model: those of `text_config` lie over the others, where a config has both. What transformers 5
 * keeps among those of RoPE stands where it did before.
 */
export function languageConfig(config: ConfigValues): ConfigValues {
  const text = config['text_config']
  const settings = isObject(text) ? { ...config, ...text } : config
  const rope = settings['rope_parameters'] ?? settings['rope_scaling']
  const moved = ['partial_rotary_factor', 'original_max_position_embeddings'].flatMap((key) =>
    isObject(rope) && rope[key] !== undefined && settings[key] === undefined ? [[key, rope[key]] as const] : [],
  )
  return { ...settings, ...Object.fromEntries(moved) }
}

/** Finds what a family's setting is for a model; undefined where config.json is silent. */
export function findSetting(config: ConfigValues, value: SettingValue): number | undefined {
  if (typeof value === 'number') return value
  if ('product' in value || 'quotient' in value) {
    const [a, b] = ('product' in value ? value.product : value.quotient).map((part) => findSetting(config, part))
    if (a === undefined || b === undefined) return undefined
    return 'product' in value ? a * b : Math.floor(a / b)
  }
  for (const path of value.config) {
    const found = config[path]
    if (found === undefined || found === null) continue
    return checkedNumber(path, found)
  }
  return value.otherwise === undefined ? undefined : findSetting(config, value.otherwise)
}

/** @throws ConversionError `gguf-config`. */
export function checkedNumber(path: string, found: unknown): number {
  if (typeof found === 'number' && Number.isFinite(found) && found >= 0) return found
  throw new ConversionError({
    code: 'gguf-config',
    path,
    expected: 'a number',
    found: JSON.stringify(found) ?? 'missing',
  })
}

/** Finds an integer that the conversion itself needs. @throws ConversionError `gguf-config`. */
export function needSetting(config: ConfigValues, value: SettingValue, path: string): number {
  const found = findSetting(config, value)
  if (found !== undefined && Number.isInteger(found)) return found
  throw new ConversionError({
    code: 'gguf-config',
    path,
    expected: 'a whole number',
    found: found === undefined ? 'missing' : String(found),
  })
}
