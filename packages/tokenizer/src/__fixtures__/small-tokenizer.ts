import { type IdFile, type LoadedTokenizer, parseTokenizer } from '../index.ts'

type Json = Record<string, unknown>

/** tokenizer.json of a character BPE: `tokens` in the order of their ids, then `added`. */
export function tokenizerJson(
  tokens: readonly string[],
  added: readonly (string | Json)[] = [],
  model: Json = {},
  rest: Json = {},
): string {
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const addedTokens = added.map((token, index) => ({
    id: tokens.length + index,
    special: true,
    normalized: false,
    ...(typeof token === 'string' ? { content: token } : token),
  }))
  return JSON.stringify({
    added_tokens: addedTokens,
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    ...rest,
    model: { type: 'BPE', vocab, merges: [], ...model },
  })
}

export function smallTokenizer(
  text: string,
  others: Record<string, Json | string> = {},
  documents: Partial<Record<IdFile, Json>> = {},
): LoadedTokenizer {
  const files = Object.entries(others).map(
    ([name, content]) => [name, typeof content === 'string' ? content : JSON.stringify(content)] as const,
  )
  const values = Object.entries(documents).map(([name, value]) => [name as IdFile, { value }] as const)
  const tokenizer = parseTokenizer(new Map([['tokenizer.json', text], ...files]), new Map(values))
  if (!('ids' in tokenizer)) throw new Error('has a tokenizer.json')
  return tokenizer
}
