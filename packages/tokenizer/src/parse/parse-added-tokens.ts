import { TokenizerError } from '../errors.ts'
import { limits } from '../limits.ts'
import { quote } from './issues.ts'
import { isObject, type JsonObject } from './json.ts'
import type { AddedToken } from './model-tokenizer.ts'
import type { TokenIndex } from './parse-vocabulary.ts'

/**
 * Lists the added tokens of tokenizer.json, then those that only tokenizer_config.json (`added_tokens_decoder`) or
 * added_tokens.json know. Where these contradict tokenizer.json, it counts, as in transformers.
 */
export function parseAddedTokens(
  list: unknown,
  others: { readonly config: JsonObject; readonly addedTokensFile: JsonObject },
  index: TokenIndex,
): { added: Map<string, AddedToken>; addedOnly: Set<string>; notes: string[] } {
  const added = new Map<string, AddedToken>()
  const addedOnly = new Set<string>()
  const notes: string[] = []
  if (list !== undefined && list !== null && !Array.isArray(list)) {
    throw new TokenizerError({
      code: 'tokenizer-shape',
      file: 'tokenizer.json',
      path: 'added_tokens',
      expected: 'a list of tokens',
    })
  }
  if ((list?.length ?? 0) > limits.addedTokens)
    throw new TokenizerError({
      code: 'tokenizer-limit',
      file: 'tokenizer.json',
      excess: `more than ${limits.addedTokens} added tokens`,
    })
  for (const [position, entry] of (list ?? []).entries()) {
    if (!isObject(entry) || typeof entry['content'] !== 'string') {
      throw new TokenizerError({
        code: 'tokenizer-shape',
        file: 'tokenizer.json',
        path: `added_tokens[${position}]`,
        expected: 'an object with id and content',
      })
    }
    if (entry['content'] === '') continue
    if (!index.has(entry['content'])) addedOnly.add(entry['content'])
    const id = index.add(entry['content'], entry['id'])
    added.set(entry['content'], addedToken(entry['content'], id, entry))
  }
  const decoder = isObject(others.config['added_tokens_decoder']) ? others.config['added_tokens_decoder'] : {}
  for (const [id, entry] of Object.entries(decoder)) {
    if (isObject(entry) && typeof entry['content'] === 'string')
      include('tokenizer_config.json', entry['content'], Number(id), entry)
  }
  for (const [content, id] of Object.entries(others.addedTokensFile)) include('added_tokens.json', content, id, {})
  return { added, addedOnly, notes }

  function include(file: string, content: string, id: unknown, flags: JsonObject): void {
    if (content === '' || index.has(content)) return
    const taken = typeof id === 'number' ? index.tokenOf(id) : undefined
    if (taken !== undefined)
      notes.push(
        `${file} gives the id ${String(id)} to ${quote(content)}, tokenizer.json to ${quote(taken)}, which counts`,
      )
    else {
      added.set(content, addedToken(content, index.add(content, id, file), flags))
      addedOnly.add(content)
    }
  }
}

/** Makes an added token; flags that are not given are as in the tokenizers library. */
export function addedToken(content: string, id: number, flags: JsonObject): AddedToken {
  const special = flags['special'] === true
  const flag = (name: string): boolean => flags[name] === true
  return {
    id,
    content,
    single_word: flag('single_word'),
    lstrip: flag('lstrip'),
    rstrip: flag('rstrip'),
    normalized: typeof flags['normalized'] === 'boolean' ? flags['normalized'] : !special,
    special,
  }
}

/** Lists the ids that tokenizer_config.json and added_tokens.json give to added tokens; what is no id is left out. */
export function listedAddedTokens(config: JsonObject, addedTokensFile: JsonObject): ReadonlyMap<string, number> {
  const decoder = isObject(config['added_tokens_decoder']) ? config['added_tokens_decoder'] : {}
  const listed = [
    ...Object.entries(decoder).map(
      ([id, entry]) => [isObject(entry) ? entry['content'] : undefined, Number(id)] as const,
    ),
    ...Object.entries(addedTokensFile),
  ]
  return new Map(
    listed.filter(
      (entry): entry is readonly [string, number] => typeof entry[0] === 'string' && Number.isInteger(entry[1]),
    ),
  )
}
