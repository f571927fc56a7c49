import { mergeParts, mergeProduct, subwordPrefix } from '../parse/check-merges.ts'
import { decoderForHidden, hiddenMark, storedName } from './hidden-names.ts'
import { isObject, type JsonObject } from '../parse/json.ts'
import type { AddedToken, LoadedTokenizer } from '../parse/model-tokenizer.ts'
import type { OutputVocabulary } from '../plan/output-vocabulary.ts'

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
export function writeTokenizer(
  donor: LoadedTokenizer,
  embeddingRows: number,
  output: OutputVocabulary,
): WrittenTokenizer {
  const { document } = donor
  const { model } = document
  const added = [...donor.added.values()]
    .filter(({ id }) => id < embeddingRows)
    .concat(
      output.promoted,
      output.additions.flatMap((addition) => addition.added ?? []),
    )
    .sort((a, b) => a.id - b.id)
  const names = output.tokens.map((token) => (token === undefined || donor.addedOnly.has(token) ? undefined : token))
  const hidden: string[] = []
  const taken = new Set(output.tokens.filter((token) => token?.endsWith(hiddenMark)))
  for (const { token, id, added: flags } of output.additions) {
    names[id] = flags ? undefined : storedName(token, donor, taken)
    if (!flags && names[id] !== token) hidden.push(token)
  }
  if (!idsFollow(added, names)) for (const { content, id } of added) names[id] = content
  const hasRow = (token: string): boolean => donor.ids.get(token)! < embeddingRows
  const written = {
    ...document,
    added_tokens: added,
    decoder: hidden.length > 0 ? decoderForHidden(document['decoder']) : document['decoder'],
    model: { ...model, vocab: places[0], ...(Array.isArray(model['merges']) && { merges: places[1] }) },
  }
  const vocab =
    donor.kind === 'unigram' ? unigramText(names, model['vocab'] as readonly Piece[]) : vocabularyText(names)
  const text = JSON.stringify(written, undefined, 2)
    .replace(JSON.stringify(places[0]), () => vocab)
    .replace(JSON.stringify(places[1]), () =>
      mergesText(model, [...donor.ids.keys()].every(hasRow) ? undefined : hasRow),
    )
  return { text: `${text}\n`, hidden, added }
}

/** The long lists are put in by themselves: in the order of ids, one entry a line. */
const places = ['\uFDD1vocab', '\uFDD1merges'] as const

/**
 * Whether a reader that numbers added tokens itself comes to the same ids. The tokenizers library does: it goes by
 * the vocabulary, and where that lacks a token takes the next number after it and after the added tokens so far.
 */
function idsFollow(added: readonly AddedToken[], names: readonly (string | undefined)[]): boolean {
  const size = names.reduce((count, name) => (name === undefined ? count : count + 1), 0)
  let highest = -1
  return added.every(({ content, id }) => {
    const given = names[id] === content ? id : Math.max(highest + 1, size)
    highest = Math.max(highest, given)
    return given === id
  })
}

/** @param hasRow absent where every token has one */
function mergesText(model: JsonObject, hasRow: ((token: string) => boolean) | undefined): string {
  const prefix = subwordPrefix(model)
  const merges = model['merges'] as readonly unknown[]
  const isKept = (merge: unknown): boolean => {
    const parts = mergeParts(merge)!
    return hasRow!(parts[0]) && hasRow!(parts[1]) && hasRow!(mergeProduct(parts, prefix))
  }
  return listText(
    (hasRow ? merges.filter(isKept) : merges).map((merge) => JSON.stringify(merge)),
    '[',
    ']',
  )
}

function vocabularyText(names: readonly (string | undefined)[]): string {
  const lines: string[] = []
  for (const [id, name] of names.entries()) if (name !== undefined) lines.push(`${JSON.stringify(name)}: ${id}`)
  return listText(lines, '{', '}')
}

type Piece = readonly [string, number]

/**
 * Positions are ids, so that gaps need an entry. New entries have the lowest score that is there already: the score of
 * the unknown token, which depends on the lowest one, stays.
 */
function unigramText(names: readonly (string | undefined)[], pieces: readonly Piece[]): string {
  const lowest = pieces.reduce((least, [, score]) => Math.min(least, score), 0)
  const count = names.findLastIndex((name) => name !== undefined) + 1
  const entries = names
    .slice(0, count)
    .map((name, id) => [name ?? `${hiddenMark}${id}`, pieces[id]?.[0] === name ? pieces[id]![1] : lowest])
  return listText(
    entries.map((entry) => JSON.stringify(entry)),
    '[',
    ']',
  )
}

const listText = (lines: readonly string[], open: string, close: string): string =>
  lines.length === 0 ? open + close : `${open}\n      ${lines.join(',\n      ')}\n    ${close}`

/** tokenizer_config.json and added_tokens.json with the output's added tokens, where the donor's have a list of them. */
export function writeAddedTokenLists(donor: LoadedTokenizer, added: readonly AddedToken[]): Map<string, string> {
  const files = new Map<string, string>()
  if (isObject(donor.config['added_tokens_decoder'])) {
    const decoder = Object.fromEntries(added.map(({ id, ...flags }) => [String(id), flags]))
    files.set('tokenizer_config.json', jsonText({ ...donor.config, added_tokens_decoder: decoder }))
  }
  if (donor.files.includes('added_tokens.json')) {
    const own = [...added].filter(({ content }) => donor.addedOnly.has(content) || !donor.ids.has(content))
    files.set('added_tokens.json', jsonText(Object.fromEntries(own.map(({ content, id }) => [content, id]))))
  }
  return files
}

const jsonText = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`
