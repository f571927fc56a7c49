import { isObject } from '../parse/json.ts'
import type { AddedToken, LoadedTokenizer } from '../parse/model-tokenizer.ts'

/** Writes tokenizer_config.json and added_tokens.json with the output's added tokens, where the donor's have a list of them. */
export function writeAddedTokenLists(donor: LoadedTokenizer, added: readonly AddedToken[]): Map<string, string> {
  const files = new Map<string, string>()
  if (isObject(donor.config['added_tokens_decoder'])) {
    const decoder = Object.fromEntries(added.map(({ id, ...flags }) => [String(id), flags]))
    files.set('tokenizer_config.json', jsonText({ ...donor.config, added_tokens_decoder: decoder }))
  }
  if (donor.files.includes('added_tokens.json')) {
    const own = [...added].filter(({ content }) => donor.addedOnly.has(content) || !donor.ids.has(content))
    files.set('added_tokens.json', jsonText(Object.fromEntries(own.map(({ content, id }) => [content, id]))))
  }
  return files
}

const jsonText = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`
