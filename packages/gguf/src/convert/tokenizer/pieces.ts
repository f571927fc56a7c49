import type { GgufValue } from '../../metadata.ts'
import type { ConfigValues } from '../config-values.ts'
import { ConversionError } from '../errors.ts'
import { mergesOf, vocabularyOf } from './byte-level.ts'
import { objectsOf } from './documents.ts'
import type { SentencePieceModel } from './sentence-piece.ts'
import {
  type AddedToken,
  type ListedToken,
  listedToken,
  paddedTokens,
  tokenMetadata,
  tokenTypes,
} from './token-list.ts'

/** The score of tokens that no merge gives. */
const unmerged = -1000

/**
 * Writes a vocabulary of sentencepiece's kind, llama.cpp's `llama`, which joins the pair of pieces that gives the one of the
 * highest score.
 *
 * @throws ConversionError `gguf-vocabulary`; `gguf-tokenizer` where there is not a piece for each byte, at whose lack llama.cpp ends.
 */
export function piecesMetadata(
  { pieces, addDummyPrefix }: SentencePieceModel,
  added: readonly AddedToken[],
  facts: {
    readonly rows: number
    readonly specialByLook: boolean
    /** `add_prefix_space` of tokenizer_config.json, which counts more than the model's own setting. */
    readonly addPrefixSpace: unknown
  },
): [string, GgufValue][] {
  const addPrefixSpace = facts.addPrefixSpace ?? (addDummyPrefix ? undefined : false)
  checkBytes(pieces)
  const tokens = new Map([...pieces].map(([id, piece]) => [id, plainSpaces(piece)]))
  for (const token of added) tokens.set(token.id, { ...listedToken(token, facts), score: unmerged })
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'llama' }],
    ['tokenizer.ggml.pre', { type: 'string', value: 'default' }],
    ...tokenMetadata(paddedTokens(tokens, facts.rows), { scores: true }),
    ...(typeof addPrefixSpace === 'boolean'
      ? [['tokenizer.ggml.add_space_prefix', { type: 'bool', value: addPrefixSpace }] as [string, GgufValue]]
      : []),
  ]
}

function checkBytes(pieces: SentencePieceModel['pieces']): void {
  const bytes = new Set([...pieces.values()].filter(({ type }) => type === tokenTypes.byte).map(({ text }) => text))
  if (bytes.size === 256) return
  throw new ConversionError({
    code: 'gguf-tokenizer',
    file: 'the tokenizer',
    what: `has ${bytes.size} pieces for single bytes`,
    expected: '256, <0x00> to <0xFF>, which llama.cpp needs for what no other piece has',
  })
}

const plainSpaces = (piece: ListedToken): ListedToken =>
  piece.type === tokenTypes.userDefined ? { ...piece, text: piece.text.replaceAll('▁', ' ') } : piece

/**
 * Takes the pieces from tokenizer.json, where a model has no tokenizer.model: a piece's score is the rank of the first merge that
 * gives it, since merges are in the order of sentencepiece's scores.
 *
 * @throws ConversionError `gguf-tokenizer`.
 */
export function piecesOfTokenizer(tokenizer: ConfigValues, model: ConfigValues): SentencePieceModel {
  const scores = new Map<string, number>()
  for (const [left, right] of mergesOf(model)) {
    const text = left + right
    if (!scores.has(text)) scores.set(text, -scores.size)
  }
  const pieces = new Map<number, ListedToken>()
  for (const [text, id] of vocabularyOf(model)) {
    const isByte = /^<0x[\dA-Fa-f]{2}>$/.test(text)
    pieces.set(id, { text, type: isByte ? tokenTypes.byte : tokenTypes.normal, score: scores.get(text) ?? unmerged })
  }
  return { pieces, addDummyPrefix: putsSpaceFirst(tokenizer) }
}

/** Whether tokenizer.json puts a space before a text: `Prepend`, or `Metaspace` in either of its spellings. */
function putsSpaceFirst(tokenizer: ConfigValues): boolean {
  const wholes = objectsOf([tokenizer['normalizer'], tokenizer['pre_tokenizer']])
  const parts = wholes.flatMap((whole) => [...objectsOf(whole['normalizers']), ...objectsOf(whole['pretokenizers'])])
  return [...wholes, ...parts].some(
    (part) =>
      part['type'] === 'Prepend' ||
      (part['type'] === 'Metaspace' &&
        (part['prepend_scheme'] ?? (part['add_prefix_space'] === true ? 'always' : 'never')) !== 'never'),
  )
}
