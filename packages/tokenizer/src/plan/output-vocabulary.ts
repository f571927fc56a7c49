import { TokenizerError } from '../errors.ts'
import { findProducts, subwordPrefix } from '../parse/merges.ts'
import type { AddedToken, LoadedTokenizer } from '../parse/model-tokenizer.ts'
import { addedToken } from '../parse/parse-added-tokens.ts'
import type { TokenizerSetting } from './tokenizer-setting.ts'

/** The tokens of a model that it really has a row for. */
export interface VocabularyModel {
  readonly label: string
  readonly embeddingRows: number
  /** By id, shorter than the matrix where that is padded; holes are undefined. */
  readonly tokens: readonly (string | undefined)[]
  /** Also tokens without a row: see `rowOf`. */
  readonly ids: ReadonlyMap<string, number>
  readonly added: ReadonlyMap<string, AddedToken>
}

/**
 * Finds the row that a model has for a token; undefined where it has none.
 *
 * @param guess where it is likely to be, which spares looking it up
 */
export const rowOf = (
  { ids, embeddingRows, tokens }: VocabularyModel,
  token: string,
  guess = -1,
): number | undefined => {
  if (tokens[guess] === token) return guess
  const id = ids.get(token)
  return id !== undefined && id < embeddingRows ? id : undefined
}

interface Addition {
  readonly token: string
  readonly id: number
  /** Its flags where it is found in the text as a whole; absent: an ordinary token. */
  readonly added?: AddedToken
}

export interface OutputVocabulary {
  /** Position of the model whose tokens come first, and that has none of those after them. */
  readonly donor: number
  /** By id. */
  readonly tokens: readonly (string | undefined)[]
  readonly additions: readonly Addition[]
  /** Ordinary tokens of the donor that another model marks, so that they become added tokens. */
  readonly promoted: readonly AddedToken[]
  /** Added tokens of other models that are mere white space and so stay ordinary tokens. */
  readonly blank: readonly { readonly token: string; readonly model: number }[]
}

/**
 * Plans the tokens of the output with their ids: the donor's, unchanged; for a union then the ordinary tokens of the others and
 * after these their added tokens, each model in order and each token in the order of its ids; then tokens that the
 * setting names and nobody brought.
 */
export function planOutputVocabulary(
  models: readonly VocabularyModel[],
  donor: number,
  tokenizer: LoadedTokenizer,
  setting: TokenizerSetting,
): OutputVocabulary {
  const start = models[donor]!
  if (!start.tokens.some((token) => token !== undefined))
    throw new TokenizerError({ code: 'empty-vocabulary', model: start.label, embeddingRows: start.embeddingRows })
  const tokens = [...start.tokens]
  const additions: Addition[] = []
  const known = new Set<string>()
  const append = (token: string, flags: AddedToken | undefined): void => {
    known.add(token)
    additions.push({ token, id: tokens.length, ...(flags && { added: { ...flags, id: tokens.length } }) })
    tokens.push(token)
  }
  const promoted = new Map<string, AddedToken>()
  const blank: { token: string; model: number }[] = []
  if (setting.source.kind === 'union') {
    const marked = new Map<string, AddedToken>()
    for (const [model, { added, embeddingRows }] of models.entries()) {
      if (model === donor) continue
      for (const token of [...added.values()].sort((a, b) => a.id - b.id)) {
        if (token.id >= embeddingRows || marked.has(token.content) || promoted.has(token.content)) continue
        if (rowOf(start, token.content) !== undefined) {
          if (!start.added.has(token.content)) promoted.set(token.content, token)
        } else if (token.content.trim() === '') blank.push({ token: token.content, model })
        else marked.set(token.content, token)
      }
    }
    for (const model of models) {
      if (model === start) continue
      for (let id = 0; id < model.tokens.length; id++) {
        const token = model.tokens[id]
        if (token !== undefined && rowOf(start, token, id) === undefined && !known.has(token) && !marked.has(token))
          append(token, undefined)
      }
    }
    for (const token of marked.values()) append(token.content, token)
  }
  for (const { token } of setting.kind === 'complete-rows' ? setting.tokens : []) {
    if (known.has(token) || rowOf(start, token) !== undefined) continue
    const from = models.find(({ added }) => added.has(token))?.added.get(token)
    append(token, from ?? addedToken(token, 0, {}))
  }
  return { donor, tokens, additions, promoted: notFoundOtherwise(promoted, tokenizer), blank }
}

/**
 * Finds, of the tokens that are ordinary in the donor and added in another model, those which have to be marked in the output
 * to be found: the special ones, and those which no merge of the donor makes. The rest is text that the donor
 * tokenizes its own way.
 */
function notFoundOtherwise(candidates: ReadonlyMap<string, AddedToken>, donor: LoadedTokenizer): AddedToken[] {
  if (candidates.size === 0) return []
  const { merges, tokens, document } = donor
  const made = merges && findProducts(merges, { tokens, prefix: subwordPrefix(document.model) }, candidates)
  const isText = (token: string): boolean =>
    made ? made.has(token) || token.length === 1 : /^[\p{L}\p{N}\s]*$/u.test(token)
  return [...candidates.values()]
    .filter(({ content, special }) => special || !isText(content))
    .map((token) => ({ ...token, id: donor.ids.get(token.content)! }))
}
