import type { ConfigValues } from '../config-values.ts'
import { ConversionError } from '../errors.ts'
import { objectsOf } from './documents.ts'

/** A way of splitting text that llama.cpp has, and its name there. */
export interface PreTokenizer {
  readonly name: string
  /** What tokenizer.json's pre-tokenizers split at, in order; `digits` and `byte-level` stand for those with a built-in pattern. */
  readonly splits: readonly string[]
  /** Whether words that are tokens stay whole, whatever the merges; llama.cpp ties it to the name. */
  readonly ignoresMerges?: true
  /** Whether llama.cpp puts the first token before a text where the file does not say. */
  readonly addsFirstToken?: true
}

const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const rest = ' ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const word = '[^\\r\\n\\p{L}\\p{N}]?\\p{L}+'
const upper = '[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]'
const lower = '[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]'
const cased = (end: string): string =>
  `[^\\r\\n\\p{L}\\p{N}]?${upper}*${lower}+${end}|[^\\r\\n\\p{L}\\p{N}]?${upper}+${lower}*${end}`
const restWithSlash = rest.replace('[\\r\\n]*', '[\\r\\n/]*')
const deepSeek =
  '[!"#$%&\'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'

/** The patterns of released tokenizers. Of several names for one way of splitting, the one that came first. */
export const preTokenizers: readonly PreTokenizer[] = [
  { name: 'gpt-2', splits: ['byte-level'] },
  {
    name: 'llama-bpe',
    splits: [`${contractions}|${word}|\\p{N}{1,3}|${rest}`],
    ignoresMerges: true,
    addsFirstToken: true,
  },
  { name: 'dbrx', splits: [`${contractions}|${word}|\\p{N}{1,3}|${rest}`] },
  { name: 'qwen2', splits: [`${contractions}|${word}|\\p{N}|${rest}`] },
  {
    name: 'qwen35',
    splits: [
      `${contractions}|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`,
    ],
  },
  { name: 'tekken', splits: [`${cased('')}|\\p{N}|${restWithSlash}`], ignoresMerges: true, addsFirstToken: true },
  { name: 'gpt-4o', splits: [`${cased(`${contractions}?`)}|\\p{N}{1,3}|${restWithSlash}`] },
  { name: 'smollm', splits: ['digits', 'byte-level'] },
  { name: 'deepseek-v3', splits: ['\\p{N}{1,3}', '[一-龥぀-ゟ゠-ヿ]+', deepSeek] },
  { name: 'deepseek-coder', splits: ['[\r\n]', '\\s?\\p{L}+', '\\s?\\p{P}+', '[一-龥ࠀ-一가-퟿]+', 'digits'] },
]

/**
 * Recognizes how tokenizer.json splits text, by the definition itself: Split, Digits and ByteLevel, alone or in a sequence.
 *
 * @throws ConversionError `gguf-pre-tokenizer` where llama.cpp has no name for it that is known here.
 */
export function recognizePreTokenizer(tokenizer: ConfigValues, ignoresMerges: boolean): PreTokenizer {
  const splits = splitsOf(tokenizer['pre_tokenizer'])
  const same = preTokenizers.filter(
    (known) =>
      splits !== undefined &&
      known.splits.length === splits.length &&
      known.splits.every((split, index) => split === splits[index]),
  )
  // Where ways of splitting differ in nothing else; merges give every token of a usual vocabulary anyway.
  const found = same.find((known) => (known.ignoresMerges ?? false) === ignoresMerges) ?? same[0]
  if (found !== undefined) return found
  throw new ConversionError({
    code: 'gguf-pre-tokenizer',
    definition: JSON.stringify(tokenizer['pre_tokenizer'] ?? null),
    known: preTokenizers.map(({ name }) => name).join(', '),
  })
}

function splitsOf(preTokenizer: unknown): string[] | undefined {
  const [first] = objectsOf([preTokenizer])
  if (first === undefined) return undefined
  const parts = first['type'] === 'Sequence' ? objectsOf(first['pretokenizers']) : [first]
  const splits: string[] = []
  for (const part of parts) {
    if (part['type'] === 'ByteLevel') {
      if (part['add_prefix_space'] === true) return undefined
      if (part['use_regex'] !== false) splits.push('byte-level')
    } else if (part['type'] === 'Digits' && part['individual_digits'] === true) splits.push('digits')
    else if (part['type'] === 'Split' && keepsAll(part)) {
      const [pattern] = objectsOf([part['pattern']])
      const expression = pattern?.['Regex'] ?? pattern?.['String']
      if (typeof expression !== 'string') return undefined
      splits.push(expression)
    } else return undefined
  }
  return splits
}

/** The patterns match every character, so that it is the same whether matches are kept alone or what is between them as well. */
const keepsAll = ({ behavior, invert }: ConfigValues): boolean =>
  behavior === 'Isolated' || (behavior === 'Removed' && invert === true)
