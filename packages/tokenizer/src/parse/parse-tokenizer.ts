import { quoted } from '@mk/errors'
import { parseChatTemplate } from './chat-template.ts'
import { checkMerges } from './check-merges.ts'
import { TokenizerError } from '../errors.ts'
import { expectObject, isObject, type JsonObject, parseJsonObject } from './json.ts'
import { type IdDocuments, type IdFile, listTokenIds } from './list-token-ids.ts'
import type { AddedToken, LoadedTokenizer, ModelTokenizer, TokenizerKind } from './model-tokenizer.ts'
import { listedAddedTokens, parseAddedTokens } from './parse-added-tokens.ts'
import { parseVocabulary, TokenIndex } from './parse-vocabulary.ts'
import { isSentencePiece, orderTokenizerFiles } from '../tokenizer-files.ts'

/**
 * Parses a model's tokenizer from the text of its files, by name: tokenizer.json and, where they are there,
 * tokenizer_config.json, special_tokens_map.json, added_tokens.json and the chat template. Of a binary file (tokenizer.model)
 * any text will do that tells equal files, such as a hash; an empty one equals none.
 *
 * @param documents config.json and generation_config.json, parsed, for the ids of tokens that they name
 * @throws TokenizerError that names the file, where a file is damaged; a missing tokenizer is a value, not an error
 */
export function parseTokenizer(files: ReadonlyMap<string, string>, documents: IdDocuments = new Map()): ModelTokenizer {
  const config = optionalJson(files, 'tokenizer_config.json')
  const addedTokensFile = optionalJson(files, 'added_tokens.json')
  const folder = {
    files: orderTokenizerFiles(files.keys()),
    config,
    specialTokens: specialTokens(optionalJson(files, 'special_tokens_map.json'), config),
    chatTemplate: parseChatTemplate(files),
    addedIds: listedAddedTokens(config, addedTokensFile),
    tokenIds: idFiles.flatMap((name) => listTokenIds(name, documents.get(name)?.value ?? {})),
  }
  const text = files.get('tokenizer.json')
  if (text === undefined) {
    const fingerprints = folder.files.filter(isSentencePiece).map((name) => files.get(name)!)
    if (fingerprints.length === 0) return { ...folder, kind: 'missing' }
    const fingerprint = fingerprints.includes('') ? '' : fingerprints.join(' ')
    return { ...folder, kind: 'sentencepiece-only', fingerprint }
  }
  return { ...folder, ...parseVocabularyFile(text, config, addedTokensFile) }
}

const file = 'tokenizer.json'
const idFiles: readonly IdFile[] = ['config.json', 'generation_config.json']

function parseVocabularyFile(
  text: string,
  config: JsonObject,
  addedTokensFile: JsonObject,
): Omit<LoadedTokenizer, 'files' | 'config' | 'specialTokens' | 'chatTemplate' | 'addedIds' | 'tokenIds'> {
  const document = parseJsonObject(text, file)
  const model = expectObject(document['model'], file, 'model')
  const type = modelType(model)
  const index = new TokenIndex(file)
  parseVocabulary(model['vocab'], type === 'Unigram', index, text)
  if (type === 'BPE') checkMerges(model, index, file)
  const added = parseAddedTokens(document['added_tokens'], { config, addedTokensFile }, index)
  return { kind: kindOf(type, document), document: { ...document, model }, ids: index.ids, ...added }
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

function optionalJson(files: ReadonlyMap<string, string>, name: string): JsonObject {
  const text = files.get(name)
  return text === undefined ? {} : parseJsonObject(text, name)
}

/** Later places win, as in transformers: tokenizer_config.json over special_tokens_map.json. */
function specialTokens(...places: readonly JsonObject[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const place of places) {
    for (const [role, value] of Object.entries(place)) {
      if (!/^[a-z]+_token$/.test(role)) continue
      const content = isObject(value) ? (value as Partial<AddedToken>).content : value
      if (typeof content === 'string') found.set(role, content)
    }
  }
  return found
}
