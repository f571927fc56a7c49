import type { GgufValue } from '../../metadata.ts'
import type { ConfigValues } from '../config-values.ts'
import { ConversionError } from '../errors.ts'
import { isObject } from '../config-values.ts'
import {
  type AddedToken,
  type ListedToken,
  listedToken,
  paddedTokens,
  tokenMetadata,
  tokenTypes,
} from './token-list.ts'

/** Writes a byte-level BPE vocabulary, llama.cpp's `gpt2`. @throws ConversionError `gguf-tokenizer`, `gguf-vocabulary`. */
export function byteLevelMetadata(
  model: ConfigValues,
  added: readonly AddedToken[],
  facts: { readonly rows: number; readonly specialByLook: boolean; readonly preTokenizer: string },
): [string, GgufValue][] {
  const tokens = new Map<number, ListedToken>()
  for (const [text, id] of vocabularyOf(model)) tokens.set(id, { text, type: tokenTypes.normal, score: 0 })
  for (const token of added) tokens.set(token.id, { ...listedToken(token, facts), score: 0 })
  const merges = mergesOf(model).map(([left, right]) => `${withoutSpaces(left)} ${withoutSpaces(right)}`)
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: facts.preTokenizer }],
    ...tokenMetadata(paddedTokens(tokens, facts.rows), { scores: false }),
    ['tokenizer.ggml.merges', { type: 'array', elementType: 'string', values: merges }],
  ]
}

/** Spaces divide the halves of a merge, so that one within a half is written as byte-level vocabularies write it. */
const withoutSpaces = (half: string): string => half.replaceAll(' ', 'Ġ')

/** Lists texts and ids. @throws ConversionError `gguf-tokenizer`. */
export function vocabularyOf(model: ConfigValues): [string, number][] {
  const vocabulary = model['vocab']
  if (!isObject(vocabulary)) throw modelError('model.vocab is no object', 'token: id')
  return Object.entries(vocabulary).map(([text, id]) => {
    if (!Number.isSafeInteger(id) || (id as number) < 0)
      throw modelError(`the id of the token '${text}' is no number`, 'an id')
    return [text, id as number]
  })
}

/** Lists merges, whether written as pairs or as one text. @throws ConversionError `gguf-tokenizer`. */
export function mergesOf(model: ConfigValues): (readonly [string, string])[] {
  const merges = model['merges']
  if (!Array.isArray(merges)) throw modelError('model.merges is no list', 'pairs of tokens')
  return merges.map((merge: unknown, index) => {
    if (Array.isArray(merge) && typeof merge[0] === 'string' && typeof merge[1] === 'string' && merge.length === 2)
      return [merge[0], merge[1]] as const
    const space = typeof merge === 'string' ? merge.indexOf(' ', 1) : -1
    if (space < 0) throw modelError(`model.merges[${index}] is no merge`, 'a pair of tokens')
    return [(merge as string).slice(0, space), (merge as string).slice(space + 1)] as const
  })
}

const modelError = (what: string, expected: string): ConversionError =>
  new ConversionError({ code: 'gguf-tokenizer', file: 'tokenizer.json', what, expected })
