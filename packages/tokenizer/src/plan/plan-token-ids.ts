import type { IdFile, Ids, TokenIdSetting } from '../parse/list-token-ids.ts'

/** A place of config.json or generation_config.json where the output differs from what the donor of those files says. */
export interface TokenIdChange {
  readonly file: IdFile
  readonly path: readonly string[]
  readonly from: Ids | undefined
  /** null where the output vocabulary has no such token. */
  readonly to: Ids | null
}

interface Side {
  readonly settings: readonly TokenIdSetting[]
  readonly tokens: readonly (string | undefined)[]
}

/**
 * Plans what has to change in the config files of one model (`config`) when the output has the vocabulary of another
 * (`vocabulary`): that model's own ids where it has the setting too, else the id of the same token.
 */
export function planTokenIds(
  config: Side,
  vocabulary: Side,
  idOf: (token: string) => number | undefined,
): TokenIdChange[] {
  if (config.settings === vocabulary.settings) return []
  const keyOf = ({ file, path }: TokenIdSetting): string => JSON.stringify([file, ...path])
  const wanted = new Map(vocabulary.settings.map((setting) => [keyOf(setting), setting]))
  const present = new Set(config.settings.map(keyOf))
  const files = new Set(config.settings.map(({ file }) => file))
  const changes = config.settings.map(({ file, path, ids }): TokenIdChange => {
    const own = wanted.get(keyOf({ file, path, ids }))
    return { file, path, from: ids, to: own ? own.ids : translate(ids, config.tokens, idOf) }
  })
  const additions = vocabulary.settings
    .filter((setting) => files.has(setting.file) && setting.path.length === 1 && !present.has(keyOf(setting)))
    .map(({ file, path, ids }): TokenIdChange => ({ file, path, from: undefined, to: ids }))
  return [...changes, ...additions].filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to))
}

function translate(
  ids: Ids,
  tokens: readonly (string | undefined)[],
  idOf: (token: string) => number | undefined,
): Ids | null {
  const list = typeof ids === 'number' ? [ids] : ids
  const translated = list.flatMap((id) => {
    const token = tokens[id]
    const to = token === undefined ? undefined : idOf(token)
    return to === undefined ? [] : [to]
  })
  if (translated.length === 0) return null
  return typeof ids === 'number' ? translated[0]! : translated
}
