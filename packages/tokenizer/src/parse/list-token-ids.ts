import { isObject, type JsonObject } from './json.ts'

/** A file of a model beside its tokenizer that names tokens by their ids. */
export type IdFile = 'config.json' | 'generation_config.json'

/** What those files hold, parsed. */
export type IdDocuments = ReadonlyMap<IdFile, { readonly value: JsonObject }>

export type Ids = number | readonly number[]

/** An id of a token that a model's config.json or generation_config.json names. */
export interface TokenIdSetting {
  readonly file: IdFile
  /** `['text_config', 'eos_token_id']`. */
  readonly path: readonly string[]
  readonly ids: Ids
}

const idKey = /(?:_token_id|_token_index|suppress_tokens)$/
const deepest = 4

/** Lists every `…_token_id`, `…_token_index` and `…suppress_tokens` of a config, also of its parts. */
export function listTokenIds(
  file: TokenIdSetting['file'],
  config: JsonObject,
  under: readonly string[] = [],
): TokenIdSetting[] {
  return Object.entries(config).flatMap(([key, value]) => {
    const path = [...under, key]
    if (isObject(value)) return under.length < deepest ? listTokenIds(file, value, path) : []
    if (!idKey.test(key)) return []
    if (isId(value)) return [{ file, path, ids: value }]
    return Array.isArray(value) && value.length > 0 && value.every(isId) ? [{ file, path, ids: value }] : []
  })
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
