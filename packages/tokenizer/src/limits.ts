import type { JsonLimits } from '@mk/safetensors'

/** What the files of a tokenizer may have at most; a file over a limit is refused before it is parsed. */
export const limits = {
  /** The largest tokenizer.json, of 262,144 tokens and their merges as pairs, has 35 MB. */
  characters: 128 * 2 ** 20,
  fileBytes: 128 * 2 ** 20,
  /** A few thousand at most in language models; codes of sounds and pictures come by 2^16. */
  addedTokens: 100_000,
  /** Twice the largest vocabulary that is known, of 901,629 pieces. */
  tokenId: 2 ** 21 - 1,
  /** Of a token: pages of text. */
  tokenCharacters: 2 ** 16,
} as const

/** Three times what the largest vocabularies have: 262,144 tokens by key (or a million as a list of pieces), merges as pairs. */
export const jsonLimits: JsonLimits = {
  depth: 100,
  topKeys: 600_000,
  keys: 900_000,
  values: 6_000_000,
  keyCharacters: limits.tokenCharacters,
}
