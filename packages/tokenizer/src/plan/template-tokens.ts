import type { ModelTokenizer } from '../parse/model-tokenizer.ts'

/** Marks as chat templates write them, that are of use only as tokens: `<|im_start|>`, `<start_of_turn>`, `[|user|]`, `</s>`. */
const marks =
  /<\|[^|<>{}'"\s]{1,64}\|>|<｜[^｜<>{}'"\s]{1,64}｜>|\[\|[^|[\]{}'"\s]{1,64}\|\]|<(?:start|end|begin)_of_\w{1,32}>|<\/?s>|<[be]os>/g

/** Lists the marks that stand literally in a chat template, each once. The template isn't run, so that composed ones are not found. */
export const listTemplateMarks = (template: string): readonly string[] => [
  ...new Set([...template.matchAll(marks)].map(([mark]) => mark)),
]

/** Lists those of the tokens that stand literally in a chat template, words of text left aside. */
export const tokensInTemplate = (template: string, tokens: readonly string[]): readonly string[] =>
  tokens.filter((token) => token.length > 2 && /[^\p{L}\p{N}\s_]/u.test(token) && template.includes(token))

/**
 * Lists the tokens of a tokenizer whose ids are beyond a number of rows, by id. Of a tokenizer that only has its sentencepiece
 * model the added tokens are known.
 */
export function listTokensBeyond(tokenizer: ModelTokenizer, rowCount: number): readonly string[] {
  const found = new Map<string, number>()
  if ('ids' in tokenizer) {
    for (const [token, id] of tokenizer.ids) if (id >= rowCount) found.set(token, id)
  } else {
    for (const [token, id] of tokenizer.addedIds) if (id >= rowCount) found.set(token, id)
  }
  return [...found].toSorted((a, b) => a[1] - b[1]).map(([token]) => token)
}
