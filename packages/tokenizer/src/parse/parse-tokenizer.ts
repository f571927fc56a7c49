import { decodeText } from '@mk/source'
import { parseChatTemplate } from './chat-template.ts'
import { isObject, type JsonObject, parseJsonObject } from './json.ts'
import type { KnownVocabularies } from './known-vocabularies.ts'
import { type IdDocuments, type IdFile, listTokenIds } from './list-token-ids.ts'
import type { AddedToken, ModelTokenizer } from './model-tokenizer.ts'
import { listedAddedTokens } from './parse-added-tokens.ts'
import { parseTokenizerJson } from './parse-tokenizer-json.ts'
import { isSentencePiece, orderTokenizerFiles } from '../tokenizer-files.ts'

/**
 * Parses a model's tokenizer from its files, by name: the text of tokenizer.json, or its bytes, and the texts of
 * tokenizer_config.json, special_tokens_map.json, added_tokens.json and the chat template, where they are there. Of a binary file
 * (tokenizer.model) any text will do that tells equal files, such as a hash; an empty one equals none.
 *
 * @param documents config.json and generation_config.json, parsed, for the ids of tokens that they name
 * @param known what was read for other models of the same merge, which is added to
 * @throws TokenizerError that names the file, where a file is damaged; a missing tokenizer is a value, not an error
 */
export function parseTokenizer(
  contents: TokenizerContents,
  documents: IdDocuments = new Map(),
  known?: KnownVocabularies,
): ModelTokenizer {
  const source = contents.get(file)
  const files = textsOf(contents)
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
  if (source === undefined) {
    const fingerprints = folder.files.filter(isSentencePiece).map((name) => files.get(name)!)
    if (fingerprints.length === 0) return { ...folder, kind: 'missing' }
    const fingerprint = fingerprints.includes('') ? '' : fingerprints.join(' ')
    return { ...folder, kind: 'sentencepiece-only', fingerprint }
  }
  return { ...folder, ...parseTokenizerJson(source, { config, addedTokensFile }, known) }
}

/** What the files of a tokenizer hold, by name: of tokenizer.json its text or its bytes, of others the text. */
export type TokenizerContents = ReadonlyMap<string, string | Uint8Array>

const file = 'tokenizer.json'
const idFiles: readonly IdFile[] = ['config.json', 'generation_config.json']

/** The texts of all files but tokenizer.json. */
const textsOf = (contents: TokenizerContents): ReadonlyMap<string, string> =>
  new Map(
    [...contents].map(([name, content]) => [
      name,
      name === file ? '' : typeof content === 'string' ? content : decodeText(content),
    ]),
  )

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
