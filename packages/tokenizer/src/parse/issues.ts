import { limits } from '../limits.ts'
import { defineIssues, failure, quoted, shortened, usage } from '@mk/errors'

/** Quotes a token as JSON does, so that white space and quotes in it can be told. */
export const quote = (token: string): string => quoted([token]).replace(/^\[|\]$/g, '')

type InFile = {
  readonly file: string
}
type OfMerge = InFile & {
  readonly index: number
  readonly merge: string
}

/** What is wrong with the files of a tokenizer. */
export const parseRules = defineIssues({
  'tokenizer-unreadable': failure<InFile & { readonly reason: string }>(
    ({ file, reason }) => `${file}: cannot be read: ${reason}`,
  ),
  'tokenizer-not-json': usage<InFile & { readonly reason: string }>(
    ({ file, reason }) => `${shortened(file)}: not valid JSON: ${shortened(reason, 300)}`,
  ),
  'tokenizer-limit': usage<InFile & { readonly excess: string }>(
    ({ file, excess }) => `${file}: has ${excess}; is this the file of a tokenizer?`,
  ),
  'tokenizer-shape': usage<InFile & { readonly path: string; readonly expected: string }>(
    ({ file, path, expected }) => `${file}: ${path} must be ${expected}`,
  ),
  'unknown-model-type': usage<InFile & { readonly type: string }>(
    ({ file, type }) => `${file}: has a model of type ${quote(type)}; known are BPE, Unigram, WordPiece and WordLevel`,
  ),
  'bad-token-id': usage<InFile & { readonly token: string; readonly id: string }>(
    ({ file, token, id }) =>
      `${file}: the token ${quote(token)} has the id ${shortened(id)}; expected an integer from 0 to ${limits.tokenId}`,
  ),
  'duplicate-token': usage<InFile & { readonly token: string; readonly ids: readonly number[] }>(
    ({ file, token, ids }) =>
      `${file}: the token ${quote(token)} occurs more than once, with the ids ${ids.join(' and ')}; a token has one id`,
  ),
  'duplicate-token-id': usage<InFile & { readonly id: number; readonly tokens: readonly string[] }>(
    ({ file, id, tokens }) =>
      `${file}: the id ${id} belongs to ${tokens.map(quote).join(' and ')}; an id has one token`,
  ),
  'malformed-merge': usage<OfMerge>(
    ({ file, index, merge }) =>
      `${file}: merge ${index} is ${shortened(merge)}; expected two tokens, as a list or as a string with one space between them`,
  ),
  'merge-cycle': usage<OfMerge>(
    ({ file, index, merge }) =>
      `${file}: merge ${index}, ${shortened(merge)}, produces one of its own parts, so that it would never end`,
  ),
  'merge-out-of-vocabulary': usage<OfMerge & { readonly missing: string }>(
    ({ file, index, merge, missing }) =>
      `${file}: merge ${index}, ${shortened(merge)}, needs the token ${quote(missing)}, which the vocabulary lacks`,
  ),
})
