import { Tokenizer } from '@huggingface/tokenizers'
import type { LoadedTokenizer } from '@mk/tokenizer'
import type { TokenMeaning } from './token-text.ts'

/** Splits texts into tokens, as they stand: without the space that some tokenizers put before the first word. */
export interface Splitter {
  split(text: string): readonly number[]
}

/** Opens a tokenizer. @throws whatever it is that it doesn't know */
export function createSplitter({ document, config }: LoadedTokenizer): Splitter {
  const tokenizer = new Tokenizer(withoutPrefix(document) as never, config as never)
  return { split: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids }
}

/** Takes away what makes a word of a text's beginning. */
function withoutPrefix(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > 12) return value
  if (Array.isArray(value))
    return value
      .filter((part) => (part as { readonly type?: unknown } | null)?.type !== 'Prepend')
      .map((part: unknown) => withoutPrefix(part, depth + 1))
  const step = value as Readonly<Record<string, unknown>>
  const changed = Object.entries(step).map(([key, part]): readonly [string, unknown] => {
    if (key === 'add_prefix_space') return [key, false]
    if (key === 'prepend_scheme') return [key, 'never']
    // Vocabularies are long, and none of these.
    if (key === 'model' || key === 'added_tokens') return [key, part]
    const isPrepend = key === 'normalizer' && (part as { readonly type?: unknown } | null)?.type === 'Prepend'
    return [key, isPrepend ? null : withoutPrefix(part, depth + 1)]
  })
  return Object.fromEntries(
    step['type'] === 'Metaspace' && !('prepend_scheme' in step) ? [...changed, ['prepend_scheme', 'never']] : changed,
  )
}

/** Pieces of tokens in another vocabulary, one list after the other: those of token i are ids[starts[i]] to ids[starts[i + 1]]. */
export interface Pieces {
  readonly starts: readonly number[]
  readonly ids: readonly number[]
}

/**
 * Splits tokens into those of another vocabulary, by their texts; bytes that are no text by themselves, byte by byte.
 * @param idOfByte finds the token of a byte
 * @param rows of the matrix: what lies beyond is left out
 */
export function splitTokens(
  tokens: readonly TokenMeaning[],
  splitter: Splitter,
  { idOfByte, rows }: { readonly idOfByte: (byte: string) => number | undefined; readonly rows: number },
): Pieces {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const starts = [0]
  const ids: number[] = []
  for (const { text } of tokens) {
    const bytes = Uint8Array.from(text, (byte) => byte.charCodeAt(0))
    let found: readonly (number | undefined)[]
    try {
      found = splitter.split(decoder.decode(bytes))
    } catch (error) {
      if (!(error instanceof TypeError)) throw error
      found = [...text].map(idOfByte)
    }
    for (const id of found) if (id !== undefined && id < rows) ids.push(id)
    starts.push(ids.length)
  }
  return { starts, ids }
}
