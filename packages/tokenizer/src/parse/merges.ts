import type { JsonObject } from './json.ts'

/** The merges of a BPE, in their order, by the ids of their two parts. */
export interface Merges {
  readonly count: number
  /** Left, right, left, right, … */
  readonly ids: Int32Array
  /** For each merge 1 where it is written as a string with a space between its parts, 0 where as a list of two. */
  readonly isText: Uint8Array
}

/** The same as they stand in a file. */
export interface SpelledMerges extends Merges {
  /** Where each begins, counted from the list's opening bracket. */
  readonly starts: Int32Array
  /** Entries of the vocabulary: left, right, left, right, … */
  readonly entries: Int32Array
  /** Those that they make. */
  readonly products: Int32Array
}

/** Lists merges as tokenizer.json has them. @param tokens by id */
export function listMerges(
  { count, ids, isText }: Merges,
  tokens: readonly (string | undefined)[],
): (string | [string, string])[] {
  const list: (string | [string, string])[] = []
  for (let index = 0; index < count; index++) {
    const left = tokens[ids[2 * index]!]!
    const right = tokens[ids[2 * index + 1]!]!
    list.push(isText[index] === 1 ? `${left} ${right}` : [left, right])
  }
  return list
}

/** Joins the two parts of a merge: a `##` of the second goes away in WordPiece-like BPE. */
export const mergeProduct = ([left, right]: readonly [string, string], prefix: string): string =>
  left + (prefix !== '' && right.startsWith(prefix) ? right.slice(prefix.length) : right)

/** Reads the mark of subwords (`##`) that a model part may set; empty where there is none. */
export const subwordPrefix = (model: JsonObject): string =>
  typeof model['continuing_subword_prefix'] === 'string' ? model['continuing_subword_prefix'] : ''

/** Finds those of some tokens that a merge makes. @param vocabulary tokens by id, and the mark of subwords */
export function findProducts(
  { count, ids }: Merges,
  { tokens, prefix }: { readonly tokens: readonly (string | undefined)[]; readonly prefix: string },
  wanted: { readonly has: (token: string) => boolean; readonly keys: () => Iterable<string> },
): Set<string> {
  const lengths = new Set([...wanted.keys()].map(({ length }) => length))
  const found = new Set<string>()
  for (let index = 0; index < count; index++) {
    const left = tokens[ids[2 * index]!]!
    const right = tokens[ids[2 * index + 1]!]!
    // Few have a length that could be.
    if (prefix === '' && !lengths.has(left.length + right.length)) continue
    const product = mergeProduct([left, right], prefix)
    if (wanted.has(product)) found.add(product)
  }
  return found
}
