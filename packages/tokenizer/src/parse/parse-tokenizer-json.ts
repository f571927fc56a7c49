import { quoted } from '@mk/errors'
import { decodeText } from '@mk/source'
import { TokenizerError } from '../errors.ts'
import { checkMerges } from './check-merges.ts'
import { expectObject, isObject, type JsonObject, parseJsonObject } from './json.ts'
import type { KnownVocabularies } from './known-vocabularies.ts'
import { listMerges } from './merges.ts'
import type { LoadedTokenizer, TokenizerKind } from './model-tokenizer.ts'
import { parseAddedTokens } from './parse-added-tokens.ts'
import { parseVocabulary, TokenIndex } from './parse-vocabulary.ts'
import { readDocument } from './read-document.ts'

const file = 'tokenizer.json'

/** What tokenizer.json says of a tokenizer. */
type ParsedTokenizerJson = Pick<
  LoadedTokenizer,
  'kind' | 'document' | 'ids' | 'tokens' | 'merges' | 'added' | 'addedOnly' | 'notes'
>

/** What other files of a folder say of added tokens. */
interface OtherFiles {
  readonly config: JsonObject
  readonly addedTokensFile: JsonObject
}

/**
 * Parses tokenizer.json from its text or its bytes; where nothing is unusual from the bytes, which makes no value of each merge and
 * keeps less than half the memory, with the same result.
 *
 * @param known vocabularies that were read before, for files that have one in common; added to
 * @throws TokenizerError
 */
export function parseTokenizerJson(
  source: string | Uint8Array,
  others: OtherFiles,
  known?: KnownVocabularies,
): ParsedTokenizerJson {
  const bytes = typeof source === 'string' ? bytesOf(source) : source
  return (
    (bytes && parseBytes(bytes, others, known)) ??
    parseText(typeof source === 'string' ? source : decodeText(source), others)
  )
}

/** Gives the UTF-8 of a text, if it has one. */
const bytesOf = (text: string): Uint8Array | undefined =>
  /\p{Surrogate}/u.test(text) ? undefined : new TextEncoder().encode(text)

/** Does the same for any text, by JSON.parse. */
export function parseText(text: string, others: OtherFiles): ParsedTokenizerJson {
  const document = parseJsonObject(text, file)
  const model = expectObject(document['model'], file, 'model')
  const type = modelType(model)
  const index = new TokenIndex(file)
  parseVocabulary(model['vocab'], type === 'Unigram', index, text)
  const merges = type === 'BPE' ? checkMerges(model, index, file) : undefined
  const added = parseAddedTokens(document['added_tokens'], others, index)
  return {
    kind: kindOf(type, document),
    document: { ...document, model },
    ids: index.ids,
    tokens: index.tokens,
    merges: Array.isArray(model['merges']) ? merges : undefined,
    ...added,
  }
}

/** Does the same for usual files. Undefined for others. */
export function parseBytes(
  bytes: Uint8Array,
  others: OtherFiles,
  known?: KnownVocabularies,
): ParsedTokenizerJson | undefined {
  const read = readDocument(bytes, known)
  if (read === undefined) return undefined
  const { document, model, merges } = read
  const type = modelType(model)
  if (type === 'Unigram' || (type === 'BPE' ? (model['merges'] ?? null) !== null : merges !== undefined))
    return undefined
  const index = new TokenIndex(file, read)
  const added = parseAddedTokens(document['added_tokens'], others, index)
  const { ids, tokens } = index
  const lists = {
    vocab: () => Object.fromEntries([...ids].filter(([token]) => !added.addedOnly.has(token))),
    ...(merges && { merges: () => listMerges(merges, tokens) }),
  }
  return {
    kind: kindOf(type, document),
    document: { ...document, model: withLists(model, lists) },
    ids,
    tokens,
    merges,
    ...added,
  }
}

/** Puts lists that are made when they are first asked for in the place of what stands for them. */
function withLists(model: JsonObject, lists: Readonly<Record<string, () => unknown>>): JsonObject {
  const whole = { ...model }
  for (const [key, make] of Object.entries(lists)) {
    let made: unknown
    Object.defineProperty(whole, key, { get: () => (made ??= make()), enumerable: true, configurable: true })
  }
  return whole
}

type ModelType = 'BPE' | 'Unigram' | 'WordPiece' | 'WordLevel'

/** Files of before 2020 have no `type`; their keys tell. */
function modelType(model: JsonObject): ModelType {
  const { type } = model
  if (type === 'BPE' || type === 'Unigram' || type === 'WordPiece' || type === 'WordLevel') return type
  if (type !== undefined)
    throw new TokenizerError({ code: 'unknown-model-type', file, type: typeof type === 'string' ? type : quoted(type) })
  if ('merges' in model) return 'BPE'
  if (Array.isArray(model['vocab'])) return 'Unigram'
  return 'max_input_chars_per_word' in model ? 'WordPiece' : 'WordLevel'
}

function kindOf(type: ModelType, document: JsonObject): TokenizerKind {
  switch (type) {
    case 'BPE':
      return ['pre_tokenizer', 'decoder'].some((part) => hasByteLevel(document[part])) ? 'byte-level-bpe' : 'bpe'
    case 'Unigram':
      return 'unigram'
    case 'WordPiece':
      return 'wordpiece'
    case 'WordLevel':
      return 'wordlevel'
    default:
      return type satisfies never
  }
}

/** Sequences nest; no real one goes deeper. */
const hasByteLevel = (part: unknown, depth = 8): boolean =>
  isObject(part) &&
  (part['type'] === 'ByteLevel' ||
    (depth > 0 &&
      ['pretokenizers', 'decoders'].some(
        (key) => Array.isArray(part[key]) && part[key].some((inner) => hasByteLevel(inner, depth - 1)),
      )))
