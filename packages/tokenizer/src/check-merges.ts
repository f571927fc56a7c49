import { TokenizerError } from './errors.ts'
import type { JsonObject } from './json.ts'

/** The two parts of a merge, written as a list or, in older files, as one string. */
export function mergeParts(merge: unknown): readonly [string, string] | undefined {
  const parts: unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : []
  return parts.length === 2 && typeof parts[0] === 'string' && typeof parts[1] === 'string' ? [parts[0], parts[1]] : undefined
}

/** What merging two parts gives: a `##` of the second goes away in WordPiece-like BPE. */
export const mergeProduct = ([left, right]: readonly [string, string], prefix: string): string =>
  left + (prefix !== '' && right.startsWith(prefix) ? right.slice(prefix.length) : right)

export const subwordPrefix = (model: JsonObject): string => (typeof model['continuing_subword_prefix'] === 'string' ? model['continuing_subword_prefix'] : '')

/** Every merge makes a longer token of two, and all three are in the vocabulary. */
export function checkMerges(model: JsonObject, vocabulary: ReadonlyMap<string, number>, file: string): void {
  const merges = model['merges'] ?? []
  if (!Array.isArray(merges)) throw new TokenizerError({ code: 'wrong-shape', file, path: 'model.merges', expected: 'a list of merges' })
  const prefix = subwordPrefix(model)
  for (const [index, merge] of merges.entries()) {
    const parts = mergeParts(merge)
    const shown = (): string => JSON.stringify(merge) ?? 'undefined'
    if (parts === undefined) throw new TokenizerError({ code: 'malformed-merge', file, index, merge: shown() })
    const product = mergeProduct(parts, prefix)
    if (product === parts[0] || product === parts[1]) throw new TokenizerError({ code: 'merge-cycle', file, index, merge: shown() })
    for (const token of [parts[0], parts[1], product]) {
      if (!vocabulary.has(token)) throw new TokenizerError({ code: 'merge-out-of-vocabulary', file, index, merge: shown(), missing: token })
    }
  }
}
