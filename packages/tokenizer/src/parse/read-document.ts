import { findJsonExcess } from '@mk/safetensors'
import { jsonLimits, limits } from '../limits.ts'
import { isObject, type JsonObject } from './json.ts'
import type { KnownVocabularies } from './known-vocabularies.ts'
import { findLongLists, type LongLists } from './long-lists.ts'
import type { Merges } from './merges.ts'
import { type SpelledVocabulary, textOf } from './spelled-vocabulary.ts'

/** tokenizer.json, its long lists apart from the rest. */
export interface ReadDocument {
  /** Parsed, with null for the vocabulary and for the merges. */
  readonly document: JsonObject
  readonly model: JsonObject
  readonly ids: ReadonlyMap<string, number>
  /** By id. */
  readonly tokens: readonly (string | undefined)[]
  readonly merges: Merges | undefined
}

/**
 * Reads tokenizer.json from its bytes, without making a value of each merge. Undefined where anything is wrong or unusual (a
 * vocabulary that is a list, a key twice, a token in two spellings): then JSON.parse is to read it, and to say what is wrong.
 *
 * @param known what was read before, which is added to
 */
export function readDocument(bytes: Uint8Array, known?: KnownVocabularies): ReadDocument | undefined {
  if (bytes.length > limits.characters) return undefined
  const text = withoutMark(bytes)
  const lists = findLongLists(text, known)
  const document = lists && parseRest(text, lists)
  const model = document?.['model']
  if (lists === undefined || document === undefined || !isObject(model)) return undefined
  // Which merges then have to join in another way.
  if ((model['continuing_subword_prefix'] ?? '') !== '') return undefined
  const { vocabulary, merges } = lists
  const index = vocabulary.known ?? indexTokens(vocabulary.spelled)
  if (index === undefined) return undefined
  if (index !== vocabulary.known)
    known?.add({
      ...index,
      spelled: vocabulary.spelled,
      merges: merges && { bytes: text.subarray(merges.start, merges.end), read: merges.read },
    })
  return { document, model, ids: index.ids, tokens: index.tokens, merges: merges?.read }
}

const withoutMark = (bytes: Uint8Array): Uint8Array =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes

/** Parses what is around the lists. Undefined where that isn't valid, or with the lists is over a limit. */
function parseRest(bytes: Uint8Array, { vocabulary, merges }: LongLists): JsonObject | undefined {
  const pieces: Uint8Array[] = []
  let start = 0
  for (const span of [vocabulary, ...(merges ? [merges] : [])].sort((a, b) => a.start - b.start)) {
    pieces.push(bytes.subarray(start, span.start))
    start = span.end
  }
  pieces.push(bytes.subarray(start))
  try {
    const rest = pieces.map(textOf).join('null')
    if (findJsonExcess(rest, limitsOfRest(vocabulary.spelled, merges?.read)) !== undefined) return undefined
    const value = JSON.parse(rest) as unknown
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** What the lists leave of the limits, counted as `findJsonExcess` does: values by commas and what opens. */
const limitsOfRest = ({ count }: SpelledVocabulary, merges: Merges | undefined): typeof jsonLimits => ({
  ...jsonLimits,
  keys: jsonLimits.keys - count,
  values: jsonLimits.values - Math.max(1, count) - (merges === undefined ? 0 : valuesOf(merges)),
})

const valuesOf = ({ count, isText }: Merges): number =>
  Math.max(1, count) + isText.reduce((sum, text) => (text === 1 ? sum : sum + 2), 0)

/** Lists tokens by their ids, in the order of an object's keys. Undefined where a token or an id is there twice. */
function indexTokens(
  spelled: SpelledVocabulary,
): { readonly ids: Map<string, number>; readonly tokens: (string | undefined)[] } | undefined {
  const ids = new Map<string, number>()
  const tokens: (string | undefined)[] = []
  const numbers = spelled.tokens.filter(isArrayIndex).sort((a, b) => Number(a) - Number(b))
  for (const token of numbers) ids.set(token, -1)
  for (let entry = 0; entry < spelled.count; entry++) {
    const id = spelled.idOf(entry)
    if (tokens[id] !== undefined) return undefined
    const token = spelled.tokens[entry]!
    ids.set(token, id)
    tokens[id] = token
  }
  return ids.size === spelled.count ? { ids, tokens } : undefined
}

/** The keys of an object that are such come first, in the order of numbers. */
const isArrayIndex = (text: string): boolean => {
  const first = text.charCodeAt(0)
  return first >= 0x30 && first <= 0x39 && /^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) < 2 ** 32 - 1
}
