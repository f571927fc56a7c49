import { readFileSync } from 'node:fs'
import { Tokenizer } from '@huggingface/tokenizers'
import { describe, expect, it } from 'vitest'
import { outputTokens } from '../__fixtures__/output-tokens.ts'
import { ordinaryLines } from '../__fixtures__/lines.ts'
import { type LoadedTokenizer, parseTokenizer, planVocabulary } from '../index.ts'

const kinds = ['byte-level-bpe', 'whole-words-bpe', 'llama-bpe', 'unigram', 'wordpiece'] as const
const lines = ordinaryLines(10_000)

describe.each(kinds)('a union of %s tokenizers', (kind) => {
  const [base, other] = ['base', 'other'].map((name) => readFixture(`${kind}-${name}`)) as [Fixture, Fixture]
  const plan = planVocabulary({
    models: [base, other].map(toInput),
    setting: { kind: 'complete-rows', source: { kind: 'union' }, tokens: [] },
  })
  const union = encoder(plan.write.get('tokenizer.json')!)
  const tokens = outputTokens(plan)

  it('tokenizes 10,000 lines of ordinary text exactly as the base does', () => {
    const reference = encoder(base.text)
    const changed = lines.filter((line) => String(union.encode(line).ids) !== String(reference.encode(line).ids))
    expect(changed).toEqual([])
  }, 60_000)

  it('finds each model’s own added tokens as one id', () => {
    const markers = [...base.tokenizer.added.keys(), ...other.tokenizer.added.keys()].filter(
      (token) => token.trim() !== '',
    )
    expect(markers).toContain('<tool_call>')
    const found = markers.map((token) => union.encode(token, { add_special_tokens: false }).ids)
    expect(found).toEqual(markers.map((token) => [tokens.indexOf(token)]))
    expect(union.encode('one<|im_end|>two', { add_special_tokens: false }).ids).toContain(tokens.indexOf('<|im_end|>'))
  })

  it('keeps the base’s ids and gives every other token a new one', () => {
    const missing = [...other.tokenizer.ids.keys()].filter((token) => !base.tokenizer.ids.has(token))
    for (const [token, id] of base.tokenizer.ids) expect(tokens[id]).toBe(token)
    expect(tokens.slice(base.tokenizer.ids.size).sort()).toEqual(missing.sort())
    expect(missing.length).toBeGreaterThan(100)
  })

  it('writes every token under its id, where a reader that numbers added tokens itself finds them too', () => {
    const written = load(plan.write.get('tokenizer.json')!)
    expect(written.ids.size).toBe(plan.rowCount)
    expect([...written.ids.values()].sort((a, b) => a - b)).toEqual(tokens.map((_, id) => id))
    expect(assignedIds(written)).toEqual(new Map([...written.added.values()].map(({ content, id }) => [content, id])))
  })

  it('writes new tokens so that they decode to their text', () => {
    const theirs = encoder(other.text)
    const unread = tokens.flatMap((token, id) =>
      id >= base.tokenizer.ids.size && !other.tokenizer.added.has(token!) ? [{ token: token!, id }] : [],
    )
    expect(
      unread.filter(({ token, id }) => decode(union, id) !== decode(theirs, other.tokenizer.ids.get(token)!)),
    ).toEqual([])
  })
})

interface Fixture {
  readonly text: string
  readonly tokenizer: LoadedTokenizer
}

function readFixture(name: string): Fixture {
  const text = readFileSync(new URL(`../__fixtures__/tokenizers/${name}.json`, import.meta.url), 'utf8')
  return { text, tokenizer: load(text) }
}

function load(text: string): LoadedTokenizer {
  const tokenizer = parseTokenizer(new Map([['tokenizer.json', text]]))
  if (!('ids' in tokenizer)) throw new Error('not loaded')
  return tokenizer
}

const toInput = (
  { tokenizer }: Fixture,
  index: number,
): { label: string; tokenizer: LoadedTokenizer; embeddingRows: number } => ({
  label: `model ${index}`,
  tokenizer,
  embeddingRows: tokenizer.ids.size,
})

const encoder = (text: string): Tokenizer => new Tokenizer(JSON.parse(text) as object, {})
const decode = (tokenizer: Tokenizer, id: number): string =>
  tokenizer.decode([id], { clean_up_tokenization_spaces: false })

/** The ids that the tokenizers library gives added tokens: the vocabulary's, else the next free number. */
function assignedIds({ ids: declared, added, addedOnly }: LoadedTokenizer): Map<string, number> {
  const ids = new Map<string, number>()
  const size = declared.size - addedOnly.size
  for (const token of added.keys())
    ids.set(
      token,
      addedOnly.has(token) ? Math.max(size, ...[...ids.values()].map((id) => id + 1)) : declared.get(token)!,
    )
  return ids
}
