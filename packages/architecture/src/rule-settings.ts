import { type LayerRule, layerRules } from './layer-rules.ts'
import type { LayerChange } from './layer-settings.ts'
import type { ModelConfig } from './layout.ts'

export interface RuleOutcome {
  readonly settings: ModelConfig
  /** Settings by which some layers are other than they were, whatever is written. */
  readonly unfit: readonly string[]
}

/**
 * Makes settings from which a layer's number decides what it is give every layer what it was in its model: with other values,
 * or with the list that says the same. `settings` are revised but for these.
 */
export function fitRules(settings: ModelConfig, { family, kind: side, sources }: LayerChange): RuleOutcome {
  let revised = settings
  const unfit: string[] = []
  for (const rule of layerRules) {
    if (rule.side !== undefined && rule.side !== side) continue
    const wanted = sources.map((source) =>
      kindIn(rule, source.settings, source.family, source.layer, source.layerCount),
    )
    const isFit = (candidate: ModelConfig) =>
      wanted.every((kind, index) => {
        const now = kindIn(rule, candidate, family, index, wanted.length)
        return kind === undefined || now === undefined || kind === now
      })
    if (hasList(rule, revised, wanted.length) || isFit(revised)) continue
    const better = [rule.fit?.(wanted), listOf(rule, wanted, family)].find(
      (change) => change !== undefined && isFit({ ...revised, ...change }),
    )
    if (better !== undefined) revised = { ...revised, ...better }
    else unfit.push(...rule.keys.filter((key) => settings[key] !== undefined && !unfit.includes(key)))
  }
  return { settings: revised, unfit }
}

/** What the settings make of a layer; undefined where they or the class say nothing. */
export function kindIn(
  rule: LayerRule,
  settings: ModelConfig,
  family: string | undefined,
  layer: number,
  count: number,
): unknown {
  if (rule.families !== undefined && (family === undefined || !Object.hasOwn(rule.families, family))) return undefined
  const { list, except } = rule
  if (except !== undefined && family !== undefined && except.has(family)) return undefined
  if (list !== undefined && hasList(rule, settings, count)) {
    const said = settings[list.key] as readonly unknown[]
    return list.form === 'kinds' ? said[layer] : said.includes(layer)
  }
  const defaults = family === undefined ? undefined : rule.families?.[family]
  const isSilent = rule.keys.every((key) => settings[key] === undefined)
  return rule.kindOf((key) => settings[key] ?? (isSilent ? defaults?.[key] : undefined), layer, count)
}

function hasList({ list }: LayerRule, settings: ModelConfig, count: number): boolean {
  const said = list === undefined ? undefined : settings[list.key]
  if (!Array.isArray(said) || said.length === 0) return false
  return list?.form === 'numbers' || said.length >= count
}

/** Only where the class is known to read it. */
function listOf(
  { list, families }: LayerRule,
  kinds: readonly unknown[],
  family: string | undefined,
): ModelConfig | undefined {
  if (list === undefined || family === undefined || families === undefined || !Object.hasOwn(families, family))
    return undefined
  const numbers = () => kinds.flatMap((kind, index) => (kind === true ? [index] : []))
  return { [list.key]: list.form === 'kinds' ? kinds : numbers() }
}
