import type { GgufValue } from '../../metadata.ts'
import { type ConfigValues, isObject } from '../config-values.ts'
import { ConversionError } from '../errors.ts'
import type { ConversionNotice } from '../notices.ts'
import { byteLevelMetadata } from './byte-level.ts'
import { parseJson } from './documents.ts'
import { piecesMetadata, piecesOfTokenizer } from './pieces.ts'
import { preTokenizers, recognizePreTokenizer } from './pre-tokenizers.ts'
import { parseSentencePiece } from './sentence-piece.ts'
import { chatTemplateMetadata, specialTokenMetadata } from './special-tokens.ts'
import { type AddedToken, listAddedTokens } from './token-list.ts'

/**
 * Writes `tokenizer.*`: from tokenizer.json where it is a byte-level BPE, else from tokenizer.model where there is one.
 *
 * @throws ConversionError `gguf-no-tokenizer`, `gguf-tokenizer`, `gguf-pre-tokenizer`, `gguf-vocabulary`.
 */
export function readVocabulary(
  files: {
    readonly documents: ReadonlyMap<string, string>
    readonly sentencePiece?: Uint8Array
    readonly preTokenizer?: string
  },
  facts: { readonly rows: number; readonly config: ConfigValues; readonly specialByLook: boolean },
): { readonly metadata: readonly [string, GgufValue][]; readonly notices: readonly ConversionNotice[] } {
  const { documents } = files
  const tokenizer = parseJson(documents, 'tokenizer.json')
  const settings = parseJson(documents, 'tokenizer_config.json')
  const listed = listAddedTokens({ addedTokens: parseJson(documents, 'added_tokens.json'), settings, tokenizer })
  const { rows } = facts
  const added = listed.filter(({ id }) => id < rows)
  const beyond = listed.filter(({ id }) => id >= rows).map(({ text }) => text)
  const { metadata, addsFirstToken, notices = [] } = listTokens({ ...files, settings }, tokenizer, added, facts)
  return {
    metadata: [
      ...metadata,
      ...specialTokenMetadata({ settings, tokenizer, config: facts.config, added, rows, addsFirstToken }),
      ...chatTemplateMetadata(settings, documents),
    ],
    notices: [
      ...notices,
      ...(beyond.length === 0 ? [] : [{ code: 'gguf-tokens-without-row', tokens: beyond, rows } as const]),
    ],
  }
}

function listTokens(
  files: { readonly sentencePiece?: Uint8Array; readonly preTokenizer?: string; readonly settings: ConfigValues },
  tokenizer: ConfigValues,
  added: readonly AddedToken[],
  facts: { readonly rows: number; readonly specialByLook: boolean },
): {
  readonly metadata: [string, GgufValue][]
  readonly addsFirstToken: boolean
  readonly notices?: readonly ConversionNotice[]
} {
  const model = isObject(tokenizer['model']) ? tokenizer['model'] : undefined
  if (model?.['type'] === 'BPE' && model['byte_fallback'] !== true) {
    const { preTokenizer: given } = files
    const known =
      given === undefined
        ? recognizePreTokenizer(tokenizer, model['ignore_merges'] === true)
        : preTokenizers.find(({ name }) => name === given)
    return {
      metadata: byteLevelMetadata(model, added, { ...facts, preTokenizer: known?.name ?? given! }),
      addsFirstToken: known?.addsFirstToken === true,
      ...(known === undefined && {
        notices: [{ code: 'gguf-pre-unknown', name: given!, known: preTokenizers.map(({ name }) => name) }],
      }),
    }
  }
  const piecesFacts = { ...facts, addPrefixSpace: files.settings['add_prefix_space'] }
  if (files.sentencePiece !== undefined)
    return {
      metadata: piecesMetadata(parseSentencePiece(files.sentencePiece), added, piecesFacts),
      addsFirstToken: true,
    }
  if (model === undefined) throw new ConversionError({ code: 'gguf-no-tokenizer' })
  if (model['type'] !== 'BPE')
    throw new ConversionError({
      code: 'gguf-tokenizer',
      file: 'tokenizer.json',
      what: `model.type is ${JSON.stringify(model['type'])}`,
      expected: 'BPE, which all families with a map have',
    })
  return { metadata: piecesMetadata(piecesOfTokenizer(tokenizer, model), added, piecesFacts), addsFirstToken: true }
}
