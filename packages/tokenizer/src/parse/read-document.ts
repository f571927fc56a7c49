import { findJsonExcess } from '@mk/safetensors'
import { jsonLimits, limits } from '../limits.ts'
import { isObject, type JsonObject } from './json.ts'
import type { KnownVocabularies, KnownVocabulary } from './known-vocabularies.ts'
import { type FoundVocabulary, findLongLists, type LongLists } from './long-lists.ts'
import { JoinedMap } from './joined-map.ts'
import { LimitedMap } from './limited-map.ts'
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
  const { spelled, like } = vocabulary
  const isKnown = like?.spelled === spelled
  const index = isKnown ? like : indexTokens(vocabulary)
  if (index === undefined) return undefined
  if (!isKnown)
    known?.add({
      ...index,
      spelled,
      merges: merges && { bytes: text.subarray(merges.start, merges.end), read: merges.read },
    })
  const { ids, tokens } = index
  return { document, model, ids, tokens, merges: merges && withoutPlaces(merges.read) }
}

const withoutPlaces = ({ count, ids, isText }: Merges): Merges => ({ count, ids, isText })

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
function indexTokens({ spelled, like, sameCount }: FoundVocabulary): Pick<ReadDocument, 'ids' | 'tokens'> | undefined {
  const tokens: (string | undefined)[] = []
  for (let entry = 0; entry < spelled.count; entry++) {
    const id = spelled.idOf(entry)
    if (tokens[id] !== undefined) return undefined
    tokens[id] = spelled.tokens[entry]!
  }
  const shared = like && sharedIds(like, spelled, sameCount)
  const ids = new Map<string, number>()
  const first = shared === undefined ? 0 : sameCount
  const numbers = spelled.tokens
    .slice(first)
    .filter(isArrayIndex)
    .sort((a, b) => Number(a) - Number(b))
  if (shared !== undefined && numbers.length > 0) return indexTokens({ spelled, like: undefined, sameCount: 0 })
  for (const token of numbers) ids.set(token, -1)
  for (let entry = first; entry < spelled.count; entry++) {
    const token = spelled.tokens[entry]!
    if (shared?.has(token)) return undefined
    ids.set(token, spelled.idOf(entry))
  }
  if (first + ids.size !== spelled.count) return undefined
  return { ids: shared === undefined ? ids : new JoinedMap(shared, ids), tokens }
}

/** Gives the ids of the entries that two vocabularies begin with, if they are most, and below those of the known one's others. */
function sharedIds(
  known: KnownVocabulary,
  spelled: SpelledVocabulary,
  count: number,
): ReadonlyMap<string, number> | undefined {
  if (2 * count < spelled.count) return undefined
  let highest = -1
  for (let entry = 0; entry < count; entry++) highest = Math.max(highest, spelled.idOf(entry))
  for (let entry = count; entry < known.spelled.count; entry++)
    if (known.spelled.idOf(entry) < highest) return undefined
  return new LimitedMap(known.ids, { most: highest, size: count })
}

/** The keys of an object that are such come first, in the order of numbers. */
const isArrayIndex = (text: string): boolean => {
  const first = text.charCodeAt(0)
  return first >= 0x30 && first <= 0x39 && /^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) < 2 ** 32 - 1
}
