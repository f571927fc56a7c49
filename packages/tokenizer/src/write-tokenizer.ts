import { mergeParts, mergeProduct, subwordPrefix } from './check-merges.ts'
import { decoderForHidden, hiddenMark, storedName } from './hidden-names.ts'
import { isObject } from './json.ts'
import type { AddedToken, LoadedTokenizer } from './model-tokenizer.ts'
import type { OutputVocabulary } from './output-vocabulary.ts'

/** tokenizer.json of the output, and which of its tokens it had to hide. */
export interface WrittenTokenizer {
  readonly text: string
  readonly hidden: readonly string[]
  readonly added: readonly AddedToken[]
}

/**
 * The donor's tokenizer.json with another vocabulary: without the tokens that have no row (and the merges that make or
 * use them), with the new tokens. No merge is added and no entry that the model could find by itself, so that text
 * without new added tokens is cut as before.
 */
export function writeTokenizer(donor: LoadedTokenizer, embeddingRows: number, output: OutputVocabulary): WrittenTokenizer {
  const { document } = donor
  const { model } = document
  const added = [...donor.added.values()]
    .filter(({ id }) => id < embeddingRows)
    .concat(output.promoted, output.additions.flatMap((addition) => addition.added ?? []))
    .sort((a, b) => a.id - b.id)
  const vocabulary = new Map<string, number>()
  for (const [token, id] of donor.vocabulary) if (id < embeddingRows) vocabulary.set(token, id)
  const dropped = donor.vocabulary.size > vocabulary.size
  const hidden: string[] = []
  for (const { token, id, added: flags } of output.additions) {
    if (flags) continue
    const name = storedName(token, donor, vocabulary)
    if (name !== token) hidden.push(token)
    vocabulary.set(name, id)
  }
  if (!idsFollow(added, vocabulary)) for (const { content, id } of added) vocabulary.set(content, id)
  const written = {
    ...document,
    added_tokens: added,
    decoder: hidden.length > 0 ? decoderForHidden(document['decoder']) : document['decoder'],
    model: { ...model, vocab: place, ...(dropped && Array.isArray(model['merges']) && { merges: keptMerges(model, vocabulary) }) },
  }
  const vocab = donor.kind === 'unigram' ? unigramText(vocabulary, model['vocab'] as readonly (readonly [string, number])[]) : vocabularyText(vocabulary)
  return { text: `${JSON.stringify(written, undefined, 2).replace(`"${place}"`, () => vocab)}\n`, hidden, added }
}

const place = '\uFDD1vocab'

/**
 * Whether a reader that numbers added tokens itself comes to the same ids. The tokenizers library does: it goes by
 * the vocabulary, and where that lacks a token takes the next number after it and after the added tokens so far.
 */
function idsFollow(added: readonly AddedToken[], vocabulary: ReadonlyMap<string, number>): boolean {
  let highest = -1
  return added.every(({ content, id }) => {
    const given = vocabulary.get(content) ?? Math.max(highest + 1, vocabulary.size)
    highest = Math.max(highest, given)
    return given === id
  })
}

function keptMerges(model: Readonly<Record<string, unknown>>, vocabulary: ReadonlyMap<string, number>): unknown[] {
  const prefix = subwordPrefix(model)
  return (model['merges'] as readonly unknown[]).filter((merge) => {
    const parts = mergeParts(merge)!
    return vocabulary.has(parts[0]) && vocabulary.has(parts[1]) && vocabulary.has(mergeProduct(parts, prefix))
  })
}

const byId = (vocabulary: ReadonlyMap<string, number>): [string, number][] => [...vocabulary].sort((a, b) => a[1] - b[1])

const vocabularyText = (vocabulary: ReadonlyMap<string, number>): string =>
  `{${byId(vocabulary).map(([token, id]) => `\n      ${JSON.stringify(token)}: ${id}`).join(',')}\n    }`

/**
 * Positions are ids, so that gaps need an entry. New entries have the lowest score that is there already: the score of
 * the unknown token, which depends on the lowest one, stays.
 */
function unigramText(vocabulary: ReadonlyMap<string, number>, pieces: readonly (readonly [string, number])[]): string {
  const lowest = pieces.reduce((least, [, score]) => Math.min(least, score), 0)
  const entries: string[] = []
  for (const [token, id] of byId(vocabulary)) {
    while (entries.length < id) entries.push(JSON.stringify([`${hiddenMark}${entries.length}`, lowest]))
    entries.push(JSON.stringify([token, pieces[id]?.[0] === token ? pieces[id][1] : lowest]))
  }
  return `[\n      ${entries.join(',\n      ')}\n    ]`
}

/** tokenizer_config.json and added_tokens.json with the output's added tokens, where the donor's have a list of them. */
export function writeAddedTokenLists(donor: LoadedTokenizer, added: readonly AddedToken[]): Map<string, string> {
  const files = new Map<string, string>()
  if (isObject(donor.config['added_tokens_decoder'])) {
    const decoder = Object.fromEntries(added.map(({ id, ...flags }) => [String(id), flags]))
    files.set('tokenizer_config.json', jsonText({ ...donor.config, added_tokens_decoder: decoder }))
  }
  if (donor.files.includes('added_tokens.json')) {
    const own = [...added].filter(({ content }) => !donor.vocabulary.has(content))
    files.set('added_tokens.json', jsonText(Object.fromEntries(own.map(({ content, id }) => [content, id]))))
  }
  return files
}

const jsonText = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`
