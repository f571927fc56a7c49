import type { LoadedTokenizer } from '../parse/model-tokenizer.ts'

/** A noncharacter of Unicode: no text has it (Unicode 16, section 23.7). */
export const hiddenMark = '\uFDD0'

/**
 * Finds the name under which tokenizer.json can hold an ordinary token of another model so that it goes on to tokenize as
 * before (docs/decisions/union-tokenizes-as-the-base.md). Its own name where nothing but a merge could produce it; else its name and a noncharacter, which a
 * first step of the decoder takes off again.
 *
 * - BPE starts from single characters and joins them by merges. A longer token without a merge is never found; a single
 *   character is, so it is hidden where the base writes such characters as bytes. Where the base has no way to write
 *   it, it keeps its name and is found instead of the unknown token.
 * - BPE with `ignore_merges` first looks for the whole word, WordPiece for the longest beginning, Unigram for any
 *   piece, WordLevel for the word: there every new entry would be found, or shift the score of the unknown token.
 */
export function storedName(
  token: string,
  { kind, document: { model } }: LoadedTokenizer,
  taken: { has(name: string): boolean },
): string {
  const findable =
    kind === 'bpe' || kind === 'byte-level-bpe'
      ? model['ignore_merges'] === true || (model['byte_fallback'] === true && isSingleCharacter(token, model))
      : true
  if (!findable) return token
  let name = token + hiddenMark
  while (taken.has(name)) name += hiddenMark
  return name
}

/** Also as `##x` inside a word or `x</w>` at its end. */
function isSingleCharacter(token: string, model: Readonly<Record<string, unknown>>): boolean {
  const { continuing_subword_prefix: prefix, end_of_word_suffix: suffix } = model
  const inner = typeof prefix === 'string' && token.startsWith(prefix) ? token.slice(prefix.length) : token
  const bare =
    typeof suffix === 'string' && inner.endsWith(suffix) ? inner.slice(0, inner.length - suffix.length) : inner
  return [token, bare].some(
    (text) => text.length > 0 && text.length <= 2 && String.fromCodePoint(text.codePointAt(0)!) === text,
  )
}

/** Makes the decoder that takes the marks off before it does what it did. A tokenizer without one joins tokens as they are. */
export function decoderForHidden(decoder: unknown): unknown {
  if (decoder === null || decoder === undefined || JSON.stringify(decoder).includes(JSON.stringify(unmark)))
    return decoder
  return { type: 'Sequence', decoders: [unmark, decoder] }
}

const unmark = { type: 'Replace', pattern: { String: hiddenMark }, content: '' }
