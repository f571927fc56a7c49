import { findJsonExcess } from '@mk/safetensors'
import { jsonLimits, limits } from '../limits.ts'
import { isObject, type JsonObject } from './json.ts'
import type { KnownVocabularies } from './known-vocabularies.ts'
import { findLongLists, type LongLists } from './long-lists.ts'
import type { Merges } from './merges.ts'
import { textOf } from './read-texts.ts'
import type { SpelledVocabulary } from './spelled-vocabulary.ts'

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
  const tokens = isKnown ? like.tokens : listById(spelled)
  if (tokens === undefined) return undefined
  if (!isKnown)
    known?.add({
      spelled,
      tokens,
      merges: merges && { bytes: text.subarray(merges.start, merges.end), read: merges.read },
    })
  return { document, model, ids: spelled.ids, tokens, merges: merges && withoutPlaces(merges.read) }
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

/** Lists tokens by their ids. Undefined where an id is there twice. */
function listById(spelled: SpelledVocabulary): readonly (string | undefined)[] | undefined {
  const { count } = spelled
  let inOrder = 0
  while (inOrder < count && spelled.idOf(inOrder) === inOrder) inOrder++
  if (inOrder === count) return spelled.tokens
  const tokens: (string | undefined)[] = spelled.tokens.slice(0, inOrder)
  for (let entry = inOrder; entry < count; entry++) {
    const id = spelled.idOf(entry)
    if (tokens[id] !== undefined) return undefined
    tokens[id] = spelled.tokens[entry]!
  }
  return tokens
}
