import { mergeParts, mergeProduct, subwordPrefix } from '../parse/check-merges.ts'
import { decoderForHidden, hiddenMark, storedName } from './hidden-names.ts'
import type { JsonObject } from '../parse/json.ts'
import type { AddedToken, LoadedTokenizer } from '../parse/model-tokenizer.ts'
import type { OutputVocabulary } from '../plan/output-vocabulary.ts'

/** tokenizer.json of the output, and which of its tokens it had to hide. */
export interface WrittenTokenizer {
  readonly text: string
  readonly hidden: readonly string[]
  readonly added: readonly AddedToken[]
}

/**
 * Writes the donor's tokenizer.json with another vocabulary: without the tokens that have no row (and the merges that make or
 * use them), with the new tokens. No merge is added and no entry that the model could find by itself, so that text
 * without new added tokens is tokenized as before.
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
  const decoder = hidden.length > 0 ? decoderForHidden(document['decoder']) : document['decoder']
  const vocab =
    donor.kind === 'unigram' ? unigramText(names, model['vocab'] as readonly Piece[]) : vocabularyText(names)
  const merges = Array.isArray(model['merges'])
    ? mergesText(model, [...donor.ids.keys()].every(hasRow) ? undefined : hasRow)
    : undefined
  const modelText = objectText(model, { vocab, ...(merges !== undefined && { merges }) }, 1)
  const text = objectText({ ...document, added_tokens: added, decoder }, { model: modelText }, 0)
  return { text: `${text}\n`, hidden, added }
}

/**
 * Writes a JSON object as JSON.stringify does with two spaces, but for the entries whose text is given: the long lists, which
 * have one entry a line in the order of ids.
 */
function objectText(object: JsonObject, given: Readonly<Record<string, string>>, depth: number): string {
  const lineStart = `\n${'  '.repeat(depth + 1)}`
  // Added up and not joined, since each join would copy the long lists.
  let entries = ''
  for (const [key, value] of Object.entries({ ...object, ...given })) {
    const text = Object.hasOwn(given, key)
      ? given[key]
      : JSON.stringify(value, undefined, 2)?.replaceAll('\n', lineStart)
    if (text !== undefined) entries += `${entries === '' ? '' : ','}${lineStart}${JSON.stringify(key)}: ${text}`
  }
  return `{${entries === '' ? lineStart : entries}\n${'  '.repeat(depth)}}`
}

/**
 * Tells whether a reader that numbers added tokens itself comes to the same ids. The tokenizers library does: it goes by
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
