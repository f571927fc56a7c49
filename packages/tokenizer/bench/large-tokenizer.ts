/**
 * tokenizer.json of a byte-level BPE with `count` tokens, all but the letters made by merges: the first `shared` the same
 * for every `own` letter, the rest beginning with it.
 */
export function largeTokenizer(own: string, count: number, shared: number): string {
  const letters = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789Ġ']
  const tokens = [...letters]
  const merges: [string, string][] = []
  const grow = (limit: number, start: number): void => {
    for (let left = start; tokens.length < limit; left++) {
      for (const letter of letters.slice(0, 26)) {
        merges.push([tokens[left]!, letter])
        if (tokens.push(tokens[left]! + letter) === limit) return
      }
    }
  }
  grow(shared, 62)
  tokens.push('_')
  const seed = tokens.push(`${own}_`) - 1
  merges.push([own, '_'])
  grow(count, seed)
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const added = [`<|${own}_start|>`, `<|${own}_end|>`].map((content, i) => ({
    id: count + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: true,
  }))
  const document = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  }
  return JSON.stringify(document, undefined, 2)
}
