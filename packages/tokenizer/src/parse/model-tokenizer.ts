import type { ChatTemplate } from './chat-template.ts'
import type { Merges } from './merges.ts'
import type { TokenIdSetting } from './list-token-ids.ts'

/** How a tokenizer tokenizes: `bpe` works on characters (Llama style, with or without byte fallback). */
export type TokenizerKind = 'byte-level-bpe' | 'bpe' | 'unigram' | 'wordpiece' | 'wordlevel'

/** A token that is found in the text before the model sees it, as in tokenizer.json. */
export interface AddedToken {
  readonly content: string
  readonly id: number
  readonly single_word: boolean
  readonly lstrip: boolean
  readonly rstrip: boolean
  readonly normalized: boolean
  readonly special: boolean
}

/** What a model's folder says besides its vocabulary. */
interface TokenizerFolder {
  /** Names of the tokenizer files that are there. */
  readonly files: readonly string[]
  /** Parsed tokenizer_config.json; empty where there is none. */
  readonly config: Readonly<Record<string, unknown>>
  /** `bos_token` → `<s>`, … */
  readonly specialTokens: ReadonlyMap<string, string>
  readonly chatTemplate: ChatTemplate | undefined
  /** The added tokens that tokenizer_config.json and added_tokens.json list. */
  readonly addedIds: ReadonlyMap<string, number>
  /** Every `…_token_id` of config.json and generation_config.json. */
  readonly tokenIds: readonly TokenIdSetting[]
}

/** A tokenizer whose tokenizer.json could be read. */
export interface LoadedTokenizer extends TokenizerFolder {
  readonly kind: TokenizerKind
  /** Parsed tokenizer.json; long lists of its model are made when they are first read. */
  readonly document: Readonly<Record<string, unknown>> & { readonly model: Readonly<Record<string, unknown>> }
  /** Every token: the vocabulary of the model part, and the added tokens. */
  readonly ids: ReadonlyMap<string, number>
  /** The same by id; undefined where an id has no token. */
  readonly tokens: readonly (string | undefined)[]
  /** Those of BPE, checked; undefined where the file has no list of them. */
  readonly merges: Merges | undefined
  readonly added: ReadonlyMap<string, AddedToken>
  /** The added tokens that the vocabulary of the model part lacks. */
  readonly addedOnly: ReadonlySet<string>
  /** What was passed over while reading, in words. */
  readonly notes: readonly string[]
}

/** The vocabulary is there, but in a format that can be copied only. */
export interface SentencePieceOnly extends TokenizerFolder {
  readonly kind: 'sentencepiece-only'
  /** Equal where the files are; empty where it is not known. */
  readonly fingerprint: string
}

/** The tokenizer of a folder that has none. */
export interface MissingTokenizer extends TokenizerFolder {
  readonly kind: 'missing'
}

/** What a model's folder has of a tokenizer. */
export type ModelTokenizer = LoadedTokenizer | SentencePieceOnly | MissingTokenizer
