import type { GgufValue } from '../../metadata.ts'
import type { ConfigValues } from '../config-values.ts'
import { ConversionError } from '../errors.ts'
import { objectsOf } from './documents.ts'

/** What a token is, by llama.cpp's numbers. */
export const tokenTypes = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

export interface ListedToken {
  readonly text: string
  readonly type: number
  readonly score: number
}

/** A token that was added to a vocabulary. */
export interface AddedToken {
  readonly id: number
  readonly text: string
  readonly special: boolean
}

/** Lists added tokens: what added_tokens.json has, then tokenizer_config.json, then tokenizer.json, which count more. */
export function listAddedTokens(files: {
  readonly addedTokens: ConfigValues
  readonly settings: ConfigValues
  readonly tokenizer: ConfigValues
}): AddedToken[] {
  const byId = new Map<number, AddedToken>()
  const add = (id: unknown, text: unknown, special: unknown): void => {
    if (typeof text === 'string' && text !== '' && Number.isSafeInteger(id) && (id as number) >= 0)
      byId.set(id as number, { id: id as number, text, special: special === true })
  }
  for (const [text, id] of Object.entries(files.addedTokens)) add(id, text, false)
  const decoder = files.settings['added_tokens_decoder']
  if (typeof decoder === 'object' && decoder !== null)
    for (const [id, token] of Object.entries(decoder)) add(Number(id), token?.content, token?.special)
  for (const token of objectsOf(files.tokenizer['added_tokens'])) add(token['id'], token['content'], token['special'])
  return [...byId.values()]
}

/** Tokens that models mean as special ones without saying so, as llama.cpp's converter has it. */
function looksSpecial(text: string): boolean {
  return ['<pad>', '<mask>', '<2mass>', '[@BOS@]'].includes(text) || /^<\|.*\|>$|^<｜.*｜>$|^<unused.*>$/su.test(text)
}

/** What an added token is in the file: control tokens keep their text, others have spaces for sentencepiece's marks. */
export function listedToken(
  { text, special }: AddedToken,
  { specialByLook }: { readonly specialByLook: boolean },
): Pick<ListedToken, 'text' | 'type'> {
  if (special || (specialByLook && looksSpecial(text))) return { text, type: tokenTypes.control }
  return { text: specialByLook ? text.replaceAll('▁', ' ') : text, type: tokenTypes.userDefined }
}

/** Fills the ids that no token has, up to the rows of the embedding. @throws ConversionError `gguf-vocabulary`. */
export function paddedTokens(tokens: ReadonlyMap<number, ListedToken>, rows: number): ListedToken[] {
  const last = [...tokens.keys()].reduce((most, id) => Math.max(most, id), -1)
  if (last >= rows) throw new ConversionError({ code: 'gguf-vocabulary', tokens: last + 1, rows })
  return Array.from(
    { length: rows },
    (_, id) => tokens.get(id) ?? { text: `[PAD${id}]`, type: tokenTypes.unused, score: -10_000 },
  )
}

/** Writes the lists of tokens. */
export function tokenMetadata(
  tokens: readonly ListedToken[],
  { scores }: { readonly scores: boolean },
): [string, GgufValue][] {
  return [
    ['tokenizer.ggml.tokens', { type: 'array', elementType: 'string', values: tokens.map(({ text }) => text) }],
    ...(scores
      ? [
          [
            'tokenizer.ggml.scores',
            { type: 'array', elementType: 'float32', values: tokens.map(({ score }) => score) },
          ] as [string, GgufValue],
        ]
      : []),
    ['tokenizer.ggml.token_type', { type: 'array', elementType: 'int32', values: tokens.map(({ type }) => type) }],
  ]
}
