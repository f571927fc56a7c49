import { decoderForHidden, hiddenMark, storedName } from './hidden-names.ts'
import type { JsonObject } from '../parse/json.ts'
import { mergeProduct, type Merges, subwordPrefix } from '../parse/merges.ts'
import type { AddedToken, LoadedTokenizer } from '../parse/model-tokenizer.ts'
import type { OutputVocabulary } from '../plan/output-vocabulary.ts'

/** tokenizer.json of the output, and which of its tokens it had to hide. */
export interface WrittenTokenizer {
  /** Of a large vocabulary it takes longer than all else that is planned. */
  readonly makeText: () => string
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
  const makeText = (): string => {
    const decoder = hidden.length > 0 ? decoderForHidden(document['decoder']) : document['decoder']
    const vocab =
      donor.kind === 'unigram' ? unigramText(names, model['vocab'] as readonly Piece[]) : vocabularyText(names)
    const merges = donor.merges && mergesText(donor.merges, donor, embeddingRows, names)
    const modelText = objectText(model, {}, { vocab, ...(merges !== undefined && { merges }) }, 1)
    return `${objectText(document, { added_tokens: added, decoder }, { model: modelText }, 0)}\n`
  }
  return { makeText, hidden, added }
}

/**
 * Writes a JSON object, with some values changed or added, as JSON.stringify does with two spaces, but for the entries whose text
 * is given: the long lists, which have one entry a line in the order of ids.
 */
function objectText(
  object: JsonObject,
  changed: JsonObject,
  given: Readonly<Record<string, string>>,
  depth: number,
): string {
  const lineStart = `\n${'  '.repeat(depth + 1)}`
  // Added up and not joined, since each join would copy the long lists.
  let entries = ''
  for (const key of new Set([...Object.keys(object), ...Object.keys(changed), ...Object.keys(given)])) {
    const text = Object.hasOwn(given, key)
      ? given[key]
      : JSON.stringify((Object.hasOwn(changed, key) ? changed : object)[key], undefined, 2)?.replaceAll('\n', lineStart)
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

/** Writes the merges whose tokens all have a row. */
function mergesText(
  { count, ids, isText }: Merges,
  { tokens, ids: idsByToken, document: { model } }: LoadedTokenizer,
  embeddingRows: number,
  names: readonly (string | undefined)[],
): string {
  // Few tokens are parts of most merges.
  const known: string[] = []
  const quotedToken = (id: number): string => (known[id] ??= quoted(names[id] ?? tokens[id]!))
  const prefix = subwordPrefix(model)
  const isKept = (left: number, right: number): boolean =>
    left < embeddingRows &&
    right < embeddingRows &&
    idsByToken.get(mergeProduct([tokens[left]!, tokens[right]!], prefix))! < embeddingRows
  const areAllKept = tokens.length <= embeddingRows
  const lines = new Lines('[', ']')
  for (let index = 0; index < count; index++) {
    const left = ids[2 * index]!
    const right = ids[2 * index + 1]!
    if (!areAllKept && !isKept(left, right)) continue
    if (isText[index] === 1) lines.next().push(quotedToken(left).slice(0, -1), ' ', quotedToken(right).slice(1))
    else lines.next().push('[', quotedToken(left), ',', quotedToken(right), ']')
  }
  return lines.text()
}

/** Gives a text as JSON.stringify does, which takes three times as long for those without anything to escape. */
const quoted = (text: string): string => (mayNeedEscapes.test(text) ? JSON.stringify(text) : `"${text}"`)
// oxlint-disable-next-line no-control-regex
const mayNeedEscapes = /["\\\u0000-\u001f\ud800-\udfff]/

function vocabularyText(names: readonly (string | undefined)[]): string {
  const lines = new Lines('{', '}')
  for (let id = 0; id < names.length; id++) {
    const name = names[id]
    if (name !== undefined) lines.next().push(quoted(name), ': ', String(id))
  }
  return lines.text()
}

type Piece = readonly [string, number]

/**
 * Positions are ids, so that gaps need an entry. New entries have the lowest score that is there already: the score of
 * the unknown token, which depends on the lowest one, stays.
 */
function unigramText(names: readonly (string | undefined)[], pieces: readonly Piece[]): string {
  const lowest = pieces.reduce((least, [, score]) => Math.min(least, score), 0)
  const count = names.findLastIndex((name) => name !== undefined) + 1
  const lines = new Lines('[', ']')
  for (const [id, name] of names.slice(0, count).entries()) {
    const score = pieces[id]?.[0] === name ? pieces[id]![1] : lowest
    lines.next().push(JSON.stringify([name ?? `${hiddenMark}${id}`, score]))
  }
  return lines.text()
}

/** A list or an object of the model with one entry a line. */
class Lines {
  readonly #close: string
  /** Added up and not joined, since a join would copy all of it. */
  #text: string
  #parts: string[] = []
  #isEmpty = true

  constructor(open: string, close: string) {
    this.#text = open
    this.#close = close
  }

  /** Begins an entry, whose parts are to be added to what this gives. */
  next(): string[] {
    // Many short parts are joined by the block, which takes a tenth of the memory.
    if (this.#parts.length > 8192) this.#join()
    this.#parts.push(this.#isEmpty ? '\n      ' : ',\n      ')
    this.#isEmpty = false
    return this.#parts
  }

  text(): string {
    this.#join()
    return this.#text + (this.#isEmpty ? '' : '\n    ') + this.#close
  }

  #join(): void {
    this.#text += this.#parts.join('')
    this.#parts = []
  }
}
