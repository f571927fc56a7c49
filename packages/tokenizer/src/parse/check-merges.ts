import { quoted } from '@mk/errors'
import { TokenizerError } from '../errors.ts'
import type { JsonObject } from './json.ts'
import { mergeProduct, type Merges, subwordPrefix } from './merges.ts'
import type { TokenIndex } from './parse-vocabulary.ts'

/** Splits a merge into its two parts; they are written as a list or, in older files, as one string. */
function mergeParts(merge: unknown): readonly [string, string] | undefined {
  const parts: unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : []
  return parts.length === 2 && typeof parts[0] === 'string' && typeof parts[1] === 'string'
    ? [parts[0], parts[1]]
    : undefined
}

/**
 * Checks that every merge makes a longer token of two, and that all three are in the vocabulary.
 *
 * @throws TokenizerError 'tokenizer-shape', 'malformed-merge', 'merge-cycle', 'merge-out-of-vocabulary'
 */
export function checkMerges(model: JsonObject, vocabulary: TokenIndex, file: string): Merges {
  const merges = model['merges'] ?? []
  if (!Array.isArray(merges))
    throw new TokenizerError({ code: 'tokenizer-shape', file, path: 'model.merges', expected: 'a list of merges' })
  const prefix = subwordPrefix(model)
  const ids = new Int32Array(2 * merges.length)
  const isText = new Uint8Array(merges.length)
  let last = -1
  for (let index = 0; index < merges.length; index++) {
    const parts = mergeParts(merges[index])
    if (parts === undefined)
      throw new TokenizerError({ code: 'malformed-merge', file, index, merge: shown(merges[index]) })
    const left = vocabulary.idOf(parts[0])
    const right = vocabulary.idOf(parts[1])
    ids[2 * index] = left ?? -1
    ids[2 * index + 1] = right ?? -1
    isText[index] = typeof merges[index] === 'string' ? 1 : 0
    if (prefix === '' && makes(parts, vocabulary.tokenOf(last + 1)) && left !== undefined && right !== undefined) {
      last++
      continue
    }
    const product = mergeProduct(parts, prefix)
    if (product === parts[0] || product === parts[1])
      throw new TokenizerError({ code: 'merge-cycle', file, index, merge: shown(merges[index]) })
    const missing = [...parts, product].find((token) => !vocabulary.has(token))
    if (missing !== undefined)
      throw new TokenizerError({ code: 'merge-out-of-vocabulary', file, index, merge: shown(merges[index]), missing })
    last = vocabulary.idOf(product)!
  }
  return { count: merges.length, ids, isText }
}

/** The product of a merge is nearly always the token after the last one's, which spares joining and looking up. */
const makes = ([left, right]: readonly [string, string], token: string | undefined): boolean =>
  token !== undefined &&
  left !== '' &&
  right !== '' &&
  token.length === left.length + right.length &&
  token.startsWith(left) &&
  token.endsWith(right)

const shown = (merge: unknown): string =>
  typeof merge === 'string' ? JSON.stringify(merge.slice(0, 200)) : quoted(merge)
